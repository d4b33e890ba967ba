//! Words that say what a sentence is worth, in a few of the languages that are written most.
//!
//! Invariant: every table is sorted, so that a word is found in a few steps. A language that is not here loses little:
//! numbers, names and rare words count in all of them.

/// Words that carry nothing by themselves: the grammar, greetings, thanks, agreement.
#[rustfmt::skip]
const EMPTY: &[&str] = &[
    "a", "aan", "aber", "about", "adiós", "after", "afternoon", "again", "ah", "ai", "al", "algo",
    "all", "alle", "alright", "als", "also", "am", "an", "anche", "and", "any", "ao", "aos", "aquí",
    "are", "aren't", "as", "así", "at", "até", "au", "auch", "auf", "aus", "aussi", "aux", "avec",
    "avoir", "awesome", "back", "be", "because", "bedankt", "been", "before", "bei", "beim", "being",
    "bien", "bij", "bin", "bis", "bist", "bit", "bitte", "bonjour", "bonsoir", "both", "buenas",
    "buenos", "buongiorno", "but", "by", "bye", "c'est", "can", "can't", "cannot", "ce", "ces", "cet",
    "cette", "che", "cheers", "chi", "ci", "ciao", "claro", "com", "come", "comme", "como", "con",
    "cool", "could", "couldn't", "cuando", "cui", "d'accord", "da", "damit", "dank", "danke", "dann",
    "dans", "das", "dass", "dat", "de", "dear", "dei", "dein", "deine", "del", "della", "delle", "dem",
    "den", "denn", "der", "des", "desde", "di", "dich", "did", "didn't", "die", "dies", "diese",
    "dieser", "dieses", "dir", "dit", "do", "doch", "does", "doesn't", "doing", "don't", "donc",
    "donde", "done", "door", "dort", "dos", "du", "durch", "días", "e", "each", "een", "ein", "eine",
    "einem", "einen", "einer", "eines", "el", "ela", "ele", "ella", "elle", "ellos", "em", "en",
    "entonces", "entre", "er", "era", "eres", "es", "esa", "ese", "eso", "essa", "esse", "est", "esta",
    "estaba", "estado", "este", "esto", "estoy", "está", "están", "et", "etwas", "eu", "euch",
    "evening", "fait", "few", "fine", "foi", "for", "from", "fue", "further", "für", "ge", "geen",
    "gegen", "genau", "gern", "gerne", "get", "gets", "getting", "gli", "go", "goes", "going", "gonna",
    "good", "goodbye", "got", "gracias", "grazie", "great", "greetings", "grüezi", "gut", "guten", "ha",
    "habe", "haben", "had", "haha", "hallo", "has", "hast", "hasta", "hat", "hatte", "have", "having",
    "hay", "he", "heb", "heeft", "hello", "her", "here", "hers", "het", "hey", "hi", "hier", "hij",
    "him", "his", "hm", "hmm", "ho", "hoi", "hola", "how", "i", "i'd", "i'll", "i'm", "i've", "ich",
    "if", "ihm", "ihn", "ihr", "ihre", "ihren", "ik", "il", "ils", "im", "immer", "in", "into", "io",
    "is", "isn't", "isso", "ist", "isto", "it", "it's", "its", "itself", "j'ai", "ja", "je", "jetzt",
    "just", "já", "kan", "kann", "kannst", "kein", "keine", "keinen", "kind", "klar", "know", "können",
    "l'on", "la", "las", "le", "les", "let", "let's", "leur", "like", "little", "lo", "lol", "look",
    "looking", "looks", "loro", "los", "lot", "lots", "lui", "ma", "maar", "mais", "make", "makes",
    "mal", "man", "many", "mas", "may", "maybe", "me", "mein", "meine", "meinem", "meinen", "meiner",
    "merci", "mes", "met", "meu", "mi", "mich", "might", "mij", "mijn", "minha", "mir", "mis", "mit",
    "mm", "moi", "moin", "mon", "more", "morning", "most", "much", "muito", "muy", "my", "más", "même",
    "na", "naar", "nach", "nada", "nas", "ne", "nee", "need", "nein", "nel", "nella", "nem", "never",
    "ni", "nice", "nicht", "niet", "night", "no", "noch", "nog", "non", "nope", "nos", "not", "nothing",
    "nous", "now", "nu", "nun", "nur", "não", "o", "ob", "obrigada", "obrigado", "oder", "of", "off",
    "oh", "ohne", "ok", "okay", "olá", "om", "on", "once", "one", "only", "ont", "ook", "op", "or",
    "os", "other", "ou", "oui", "our", "ours", "out", "over", "own", "où", "par", "para", "pas", "pela",
    "pelo", "per", "perfect", "pero", "più", "please", "plus", "por", "porque", "pour", "prego", "put",
    "qu'il", "quando", "que", "quel", "quelle", "quello", "questa", "questo", "qui", "quien", "qué",
    "really", "regards", "right", "sa", "salut", "same", "sans", "say", "says", "schon", "schön", "se",
    "see", "sehr", "sei", "sein", "seine", "sem", "ser", "servus", "ses", "seu", "she", "should",
    "shouldn't", "si", "sich", "sie", "sim", "sin", "sind", "so", "sobre", "soll", "sollte", "some",
    "something", "son", "sono", "sont", "sorry", "soy", "still", "stuff", "su", "sua", "such", "sul",
    "super", "sur", "sure", "sus", "sì", "sí", "ta", "tag", "take", "también", "também", "te", "tem",
    "tengo", "tes", "than", "thank", "thanks", "that", "that's", "the", "their", "theirs", "them",
    "then", "there", "there's", "these", "they", "they're", "thing", "things", "think", "this", "those",
    "through", "tiene", "to", "todo", "toi", "ton", "too", "tot", "tout", "tra", "try", "très",
    "tschüss", "tu", "tus", "uh", "uh-huh", "uit", "um", "uma", "un", "una", "und", "under",
    "understand", "understood", "une", "uno", "unos", "uns", "unser", "unter", "until", "up", "us",
    "vale", "van", "very", "viel", "vielen", "você", "voilà", "vom", "von", "voor", "vor", "vos",
    "votre", "vous", "waar", "want", "war", "waren", "was", "wasn't", "wat", "way", "we", "we'd",
    "we'll", "we're", "we've", "wel", "welcome", "well", "wenn", "wer", "werde", "werden", "were",
    "what", "what's", "when", "where", "which", "while", "who", "why", "wie", "wieder", "wij", "will",
    "wir", "wird", "with", "wo", "won't", "wonderful", "worden", "would", "wouldn't", "wow", "wäre",
    "würde", "y", "ya", "yeah", "yep", "yes", "yo", "you", "you'd", "you'll", "you're", "you've",
    "your", "yours", "yup", "ze", "zich", "zijn", "zo", "zu", "zum", "zur", "zwar", "à", "ça", "è", "é",
    "él", "était", "été", "être", "über",
];

/// The same in scripts without spaces, as pairs of characters.
#[rustfmt::skip]
const EMPTY_PAIRS: &[&str] = &[
    "あり", "ある", "いる", "お願", "から", "がと", "こと", "これ", "こん", "ござ", "ざい", "した", "して", "しま", "すか", "する",
    "それ", "ちは", "った", "です", "とう", "にち", "はい", "ます", "ませ", "もの", "ょう", "りが", "れる", "一个", "上好", "不客",
    "什么", "他们", "但是", "你们", "你好", "再见", "可以", "因为", "多谢", "好吧", "好的", "如果", "客气", "就是", "当然", "怎么",
    "您好", "我们", "所以", "早上", "是的", "晚上", "没问", "的话", "请问", "谢您", "谢谢", "还是", "这个", "那个", "願い",
];

/// What is not so.
#[rustfmt::skip]
const NEGATIONS: &[&str] = &[
    "aren't", "aucun", "aucune", "can't", "cannot", "couldn't", "didn't", "doesn't", "don't", "geen",
    "hasn't", "haven't", "instead", "isn't", "jamais", "kein", "keine", "keinem", "keinen", "keiner",
    "mai", "nada", "ne", "negative", "neither", "nem", "never", "nicht", "nichts", "nie", "niemals",
    "niente", "niet", "ninguna", "ningún", "no", "nobody", "non", "none", "nooit", "nor", "not",
    "nothing", "nunca", "não", "ohne", "pas", "rien", "sans", "sem", "senza", "shouldn't", "sin",
    "statt", "unable", "wasn't", "weren't", "without", "won't", "wouldn't",
];

/// What was decided, has to be, is asked for.
#[rustfmt::skip]
const DECISIONS: &[&str] = &[
    "abgemacht", "agree", "agreed", "agreement", "annulé", "approve", "approved", "beschlossen",
    "beschluss", "besloten", "besoin", "bestätigt", "bisogno", "book", "booked", "brauche", "brauchen",
    "braucht", "budget", "cancel", "cancelado", "canceled", "cancelled", "change", "changed", "choisi",
    "choose", "chose", "chosen", "conclusion", "confermato", "confirm", "confirmado", "confirmed",
    "confirmé", "deadline", "debe", "debemos", "debo", "decide", "decided", "decides", "decidido",
    "decidimos", "decidiu", "decision", "decisione", "decisión", "deciso", "decisão", "devemos", "devo",
    "devons", "dobbiamo", "dois", "doit", "due", "décider", "décidé", "décision", "elegido",
    "entscheiden", "entscheidung", "entschieden", "faut", "final", "frist", "geboekt", "gebucht",
    "geplant", "gonna", "i'll", "limit", "moet", "moeten", "move", "moved", "muss", "must", "müssen",
    "necesitamos", "necesito", "need", "needed", "needs", "nehmen", "nodig", "only", "order", "ordered",
    "plan", "planen", "planned", "planning", "plans", "precisamos", "preciso", "prenotato", "proceed",
    "prévu", "recommend", "recommended", "reject", "rejected", "require", "required", "requires",
    "reservado", "réservé", "schedule", "scheduled", "should", "soll", "sollen", "sollte", "storniert",
    "switch", "switched", "vereinbart", "we'll", "werden", "will",
];

/// What somebody likes and does not.
#[rustfmt::skip]
const PREFERENCES: &[&str] = &[
    "adore", "adoro", "afraid", "aime", "allergic", "allergica", "allergico", "allergie", "allergique",
    "allergisch", "allergy", "altijd", "always", "alérgica", "alérgico", "bevorzuge", "bevorzugt",
    "concerned", "dislike", "déteste", "encanta", "favorita", "favorite", "favorito", "favourite",
    "gosto", "gusta", "gustan", "hasse", "hate", "hates", "hou", "immer", "interested", "lieber",
    "liebsten", "liever", "love", "loves", "mag", "möchte", "möchten", "odeio", "odio", "piace",
    "prefer", "preferisco", "preferred", "prefers", "prefiero", "prefiro", "préfère", "préféré",
    "préférée", "quero", "quiero", "quisiera", "rather", "sempre", "siempre", "toujours", "usually",
    "vegan", "vegetarian", "vegetariana", "vegetariano", "vegetarier", "vegetarierin", "vegetarisch",
    "veux", "voglio", "vorrei", "voudrais", "végétarien", "végétarienne", "want", "wanted", "wants",
    "wil", "will", "wish", "worried", "wünsche",
];

/// Who speaks of themselves.
#[rustfmt::skip]
const FIRST_PERSON: &[&str] = &[
    "eu", "i", "i'd", "i'll", "i'm", "i've", "ich", "ik", "io", "j'ai", "je", "ma", "me", "mein",
    "meine", "meinem", "meinen", "meiner", "mes", "meu", "mi", "mia", "mich", "mij", "mijn", "mine",
    "minha", "mio", "mir", "mis", "moi", "mon", "my", "noi", "nos", "nosotros", "nosso", "nostro",
    "notre", "nous", "nuestra", "nuestro", "nós", "ons", "onze", "our", "ours", "uns", "unser",
    "unsere", "us", "we", "we'd", "we'll", "we're", "we've", "wij", "wir", "yo",
];

/// What happened, why, and what came of it.
#[rustfmt::skip]
const EVENTS: &[&str] = &[
    "arrived", "because", "behoben", "born", "break", "causa", "cause", "caused", "complete",
    "completed", "cure", "discovered", "fertig", "finished", "fix", "fixed", "found", "gelöst", "grund",
    "happened", "happening", "issue", "married", "moved", "omdat", "opgelost", "parce", "porque",
    "raison", "razón", "reason", "resolved", "resuelto", "résolu", "solved", "started", "stopped",
    "ursache", "weil",
];

/// What went wrong, or could.
#[rustfmt::skip]
const TROUBLES: &[&str] = &[
    "accident", "accidente", "alarm", "alarma", "alarme", "alarms", "ausfall", "ausgefallen",
    "averiado", "avería", "broke", "broken", "bug", "cassé", "crash", "crashed", "critical", "damage",
    "damaged", "danger", "dangereux", "dangerous", "dead", "defekt", "denied", "died", "dolor",
    "douleur", "dringend", "emergencia", "emergency", "enferma", "enfermo", "erreur", "erro", "error",
    "errore", "errors", "expired", "exploded", "explosion", "fail", "failed", "failing", "fails",
    "failure", "falla", "fallo", "falsch", "fehler", "fehlt", "fout", "fuite", "gefahr", "gefährlich",
    "guasto", "hurt", "ill", "injured", "injury", "kapot", "kaputt", "krank", "leak", "leaked",
    "leaking", "lose", "losing", "lost", "malade", "missing", "notfall", "outage", "pain", "panne",
    "peligro", "peligroso", "perdido", "perdió", "perdu", "pericolo", "perigo", "perso", "probleem",
    "problem", "problema", "problemas", "probleme", "problems", "problème", "problèmes", "quebrado",
    "refused", "rejected", "roto", "schmerzen", "shortage", "sick", "stolen", "stuck", "störung",
    "trouble", "undicht", "unfall", "unsafe", "urgence", "urgent", "urgente", "verletzt", "verloren",
    "warning", "warnung", "wrong",
];

/// Dates, units, and numbers in words.
#[rustfmt::skip]
const MEASURES: &[&str] = &[
    "abril", "acht", "agosto", "amps", "ans", "août", "april", "august", "aujourd'hui", "avril", "ayer",
    "año", "años", "cent", "cien", "cinco", "cinq", "cuatro", "day", "days", "december", "degrees",
    "demain", "deux", "dezember", "diciembre", "dienstag", "diez", "dimanche", "dix", "dollars",
    "domingo", "donnerstag", "dos", "drei", "décembre", "eight", "eleven", "elf", "enero", "eur",
    "euros", "febrero", "februar", "february", "feet", "fifteen", "fifty", "first", "five", "foot",
    "forty", "four", "freitag", "friday", "février", "fünf", "gallons", "gb", "gestern", "grad",
    "grams", "half", "heure", "heures", "heute", "hier", "hora", "horas", "hour", "hours", "hoy",
    "huit", "hundert", "hundred", "jahr", "jahre", "januar", "january", "janvier", "jeudi", "jueves",
    "juillet", "juin", "juli", "julio", "july", "june", "juni", "junio", "kb", "kg", "kilometer",
    "kilometers", "kilometres", "km", "liters", "litres", "lundi", "lunes", "mai", "march", "mardi",
    "mars", "martes", "marzo", "mayo", "mañana", "mb", "mercredi", "mes", "meter", "meters", "metres",
    "midnight", "mil", "mile", "miles", "mille", "million", "minute", "minuten", "minutes", "mittwoch",
    "miércoles", "mois", "monat", "monate", "monday", "montag", "month", "months", "morgen", "mph",
    "märz", "neuf", "neun", "nine", "noon", "november", "novembre", "noviembre", "nueve", "o'clock",
    "ocho", "october", "octobre", "octubre", "oktober", "percent", "pound", "pounds", "prozent", "psi",
    "quarter", "quatre", "samedi", "samstag", "saturday", "sechs", "second", "seconds", "seis",
    "semaine", "semana", "sept", "september", "septembre", "septiembre", "seven", "sieben", "siete",
    "six", "sonntag", "stunde", "stunden", "sunday", "sábado", "tausend", "ten", "third", "thirty",
    "thousand", "three", "thursday", "today", "tomorrow", "tonight", "tres", "trois", "tuesday",
    "twelve", "twenty", "twice", "two", "uhr", "usd", "vendredi", "vier", "viernes", "volts", "watts",
    "wednesday", "week", "weekend", "weeks", "woche", "wochen", "year", "years", "yesterday", "zehn",
    "zwei", "zwölf",
];

/// What something is or was, rather than what somebody should do.
#[rustfmt::skip]
const STATES: &[&str] = &[
    "are", "era", "es", "est", "está", "haben", "had", "has", "hat", "have", "he's", "i'm", "is", "ist", "it's", "she's", "sind", "son", "sono", "sont", "that's", "there's", "they're", "war", "waren", "was", "we're", "were", "è", "était",
];

/// Words whose full stop ends no sentence.
#[rustfmt::skip]
const ABBREVIATIONS: &[&str] = &[
    "approx", "art", "av", "bd", "bldg", "bzw", "ca", "cf", "co", "corp", "d.h", "dept", "dr", "e.g",
    "ed", "eds", "eg", "env", "etc", "ev", "evtl", "ext", "fig", "geb", "gen", "ggf", "i.e", "ie",
    "inc", "inkl", "jr", "lt", "ltd", "m.e", "max", "min", "mlle", "mme", "mr", "mrs", "ms", "nr",
    "p.ej", "pp", "prof", "rd", "resp", "sen", "sig", "sr", "sra", "st", "str", "tel", "u.a", "ud",
    "uds", "usw", "vgl", "vol", "vs", "z.b", "zb", "zzgl",
];

/// Months in languages that put a full stop after the day.
#[rustfmt::skip]
const MONTHS: &[&str] = &[
    "april", "august", "augustus", "dezember", "februar", "februari", "januar", "januari", "juli",
    "juni", "jänner", "maart", "mai", "mei", "märz", "november", "oktober", "september",
];

/// What is not so, in Chinese and Japanese.
#[rustfmt::skip]
const NEGATIONS_UNSPACED: &[&str] = &[
    "不", "没", "別", "别", "ない", "ません", "无", "未", "禁止",
];

/// What went wrong or could, in Chinese and Japanese.
#[rustfmt::skip]
const TROUBLES_UNSPACED: &[&str] = &[
    "坏了", "故障", "错误", "丢了", "失败", "危险", "紧急", "漏水", "生病", "受伤", "事故", "警报", "壊れ", "失敗", "危険", "緊急", "エラー", "痛",
];

/// Decisions and duties, in Chinese and Japanese.
#[rustfmt::skip]
const DECISIONS_UNSPACED: &[&str] = &[
    "决定", "決定", "必须", "必須", "需要", "计划", "打算", "改成", "改为", "确定", "确认", "預算", "预算", "予定", "予算", "決め",
    "なければ", "つもり", "定了", "预订", "订了", "予約",
];

/// Preferences, in Chinese and Japanese.
#[rustfmt::skip]
const PREFERENCES_UNSPACED: &[&str] = &[
    "喜欢", "喜歡", "过敏", "過敏", "最爱", "讨厌", "想要", "希望", "偏好", "好き", "嫌い", "アレルギー", "苦手", "欲しい", "たい", "不吃",
    "吃素",
];

/// The first person, in Chinese and Japanese.
#[rustfmt::skip]
const FIRST_PERSON_UNSPACED: &[&str] = &[
    "我", "私", "僕", "俺", "咱",
];

/// How an assistant begins a sentence that says nothing.
#[rustfmt::skip]
const OPENINGS: &[&str] = &[
    "sure", "of course", "certainly", "absolutely", "i'd be happy", "i'd be glad", "i would be happy",
    "i'm happy to", "happy to help", "glad", "let me know", "feel free", "hope this", "i hope",
    "great question", "good question", "great choice", "great!", "that's a great", "that sounds",
    "sounds good", "sounds great", "you're welcome", "you are welcome", "thank you for", "thanks for",
    "here are some", "here is a", "here's a", "here's the", "here are the", "as an ai",
    "if you have any", "if you need", "if you'd like", "would you like", "do you want me",
    "is there anything", "anything else", "i understand", "i see", "no problem", "my pleasure",
    "please let me", "natürlich", "gerne", "klar", "selbstverständlich", "ich helfe",
    "lass mich wissen", "sag mir bescheid", "gern geschehen", "gute frage", "kein problem",
    "wenn du möchtest", "wenn sie möchten", "hier ist", "hier sind", "bien sûr", "avec plaisir",
    "n'hésitez", "je vous en prie", "voici", "por supuesto", "claro", "con gusto", "de nada",
    "no dudes", "aquí tienes", "certo", "volentieri", "当然", "没问题", "好的", "很高兴", "不客气", "希望这", "如果您",
    "如果你", "请告诉我", "以下是", "这里是", "もちろん", "かしこまり", "承知", "どういたし",
];

/// Whether a word carries nothing by itself.
pub(super) fn is_empty(word: &str) -> bool {
    has(EMPTY, word)
}

/// Whether a pair of characters carries nothing by itself.
pub(super) fn is_empty_pair(pair: &str) -> bool {
    has(EMPTY_PAIRS, pair)
}

pub(super) fn is_negation(word: &str) -> bool {
    has(NEGATIONS, word)
}

pub(super) fn is_decision(word: &str) -> bool {
    has(DECISIONS, word)
}

pub(super) fn is_preference(word: &str) -> bool {
    has(PREFERENCES, word)
}

pub(super) fn is_first_person(word: &str) -> bool {
    has(FIRST_PERSON, word)
}

pub(super) fn is_event(word: &str) -> bool {
    has(EVENTS, word)
}

pub(super) fn is_trouble(word: &str) -> bool {
    has(TROUBLES, word)
}

pub(super) fn is_state(word: &str) -> bool {
    has(STATES, word)
}

pub(super) fn is_measure(word: &str) -> bool {
    has(MEASURES, word)
}

/// Whether a full stop after this word ends no sentence.
pub(super) fn is_abbreviation(word: &str) -> bool {
    has(ABBREVIATIONS, &word.to_lowercase())
}

/// Whether this is a month after whose day a full stop stands.
pub(super) fn is_month(word: &str) -> bool {
    has(MONTHS, &word.to_lowercase())
}

/// The same marks in scripts without spaces: negation, decision, preference, first person, trouble.
pub(super) fn unspaced(text: &str) -> [bool; 5] {
    let tables = [
        NEGATIONS_UNSPACED,
        DECISIONS_UNSPACED,
        PREFERENCES_UNSPACED,
        FIRST_PERSON_UNSPACED,
        TROUBLES_UNSPACED,
    ];
    tables.map(|table| table.iter().any(|mark| text.contains(mark)))
}

/// Whether a sentence in lower case begins as an assistant's courtesies do.
pub(super) fn is_opening(lower: &str) -> bool {
    OPENINGS.iter().any(|opening| lower.starts_with(opening))
}

fn has(table: &[&str], word: &str) -> bool {
    table.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted() {
        let tables = [
            EMPTY,
            EMPTY_PAIRS,
            NEGATIONS,
            DECISIONS,
            PREFERENCES,
            FIRST_PERSON,
            EVENTS,
            TROUBLES,
            MEASURES,
            STATES,
            ABBREVIATIONS,
            MONTHS,
        ];
        for table in tables {
            assert!(table.is_sorted(), "{table:?}");
        }
    }

    #[test]
    fn words_are_found() {
        assert!(is_empty("the") && is_empty("und") && is_empty("hello") && !is_empty("oxygen"));
        assert!(is_abbreviation("Dr") && is_month("März") && is_negation("never") && is_decision("decided"));
        assert_eq!(unspaced("我不喜欢香菜"), [true, false, true, true, false]);
        assert!(is_trouble("problem") && !is_event("problem") && is_event("solved"));
        assert!(is_opening("sure, i can help") && !is_opening("my name is ana"));
    }
}
