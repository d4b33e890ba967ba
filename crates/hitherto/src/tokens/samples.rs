//! Tests only: the beginning of the Universal Declaration of Human Rights' first article and everyday sentences, in
//! many languages, and texts that are none.

pub(super) const SAMPLES: [(&str, &str); 24] = [
    (
        "english",
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood. Could you book me a table for four at the Italian place near the station, tomorrow evening at half past seven? My sister is allergic to peanuts, so please tell the kitchen.",
    ),
    (
        "german",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen. Können Sie mir bitte die Rechnung für die Überweisung an die Krankenversicherung schicken?",
    ),
    (
        "french",
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité. J'aimerais réserver une chambre à l'hôtel pour le week-end prochain.",
    ),
    (
        "spanish",
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos. Dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros. ¿Podrías recordarme mañana que tengo que llamar al médico?",
    ),
    (
        "polish",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.",
    ),
    (
        "czech",
        "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím a mají spolu jednat v duchu bratrství.",
    ),
    (
        "turkish",
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
    ),
    (
        "finnish",
        "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä.",
    ),
    (
        "swahili",
        "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri, hivyo yapasa watendeane kindugu.",
    ),
    (
        "indonesian",
        "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama. Mereka dikaruniai akal dan hati nurani dan hendaknya bergaul satu sama lain dalam persaudaraan.",
    ),
    (
        "vietnamese",
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều được tạo hoá ban cho lý trí và lương tâm.",
    ),
    (
        "russian",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    ),
    (
        "ukrainian",
        "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства.",
    ),
    (
        "greek",
        "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση.",
    ),
    ("hebrew", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון."),
    (
        "arabic",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
    ),
    (
        "hindi",
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है।",
    ),
    ("thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม"),
    (
        "chinese",
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。请帮我订明天早上去上海的高铁票，两个人，靠窗的座位。",
    ),
    (
        "japanese",
        "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。コンピュータの設定を変更してください。",
    ),
    (
        "korean",
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
    ),
    (
        "emoji",
        "Great job 👍🏽🎉! See you 👨‍👩‍👧‍👦 tomorrow 😂😂😂 🇫🇮❤️. ✅ done, ⚠️ careful → 5 °C … “quotes” — dash",
    ),
    (
        "json",
        "{\"id\":\"call_9f8e7d6c\",\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Espoo\\\",\\\"days\\\":3}\"}}. [1.5e-10, -20, null, true]. https://example.org/a/b?c=d&e=%20f#g. 550e8400-e29b-41d4-a716-446655440000",
    ),
    (
        "none",
        "QWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo. xkcd zxqvj qwrtp fghjk. ZXCVBNM QWERTY. a1b2c3d4e5f6. __init__ self._x != y && z || !w. \t\t\tif (x<0){return-1;}. neri tavo luma kesi. IMPORTANT NOTICE READ THIS",
    ),
];
