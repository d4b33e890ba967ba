//! TLS: whom the summariser trusts.

use hitherto::summary::{Api, ModelError, ModelSummariser, SummariserError};
use hitherto_testkit::{Behaviour, Certificates, FakeModel};

use crate::{ask, options};

#[tokio::test]
async fn only_the_authority_that_was_named_is_trusted() {
    let (ours, stranger) = (Certificates::new(), Certificates::new());
    let fake = FakeModel::start_tls(&ours);
    fake.always(Behaviour::says("Zoë."));
    let with_ca = |ca| {
        let mut options = options(&fake, Api::OpenAi);
        options.ca = ca;
        ModelSummariser::new(options)
    };
    assert_eq!(ask(&fake, &with_ca(Some(ours.ca())).unwrap()).await.as_deref(), Ok("Zoë."));
    let mut others = vec![with_ca(Some(stranger.ca())).unwrap()];
    // The system's authorities, where it has any.
    others.extend(with_ca(None).ok());
    for model in others {
        let error = ask(&fake, &model).await.unwrap_err();
        let SummariserError::Unreachable(reason) = error else { panic!("{error:?}") };
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert_eq!(fake.counts().requests, 1, "nothing is said to a server that is not trusted");
}

#[tokio::test]
async fn the_name_in_the_certificate_is_looked_at() {
    let certificates = Certificates::for_names(&["elsewhere.example"]);
    let fake = FakeModel::start_tls(&certificates);
    let mut options = options(&fake, Api::OpenAi);
    options.ca = Some(certificates.ca());
    let error = ask(&fake, &ModelSummariser::new(options).unwrap()).await.unwrap_err();
    assert!(matches!(error, SummariserError::Unreachable(_)), "{error:?}");
    assert_eq!(fake.counts().requests, 0);
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let fake = FakeModel::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "nothing").unwrap();
    for path in [file, folder.path().join("missing.pem")] {
        let mut options = options(&fake, Api::OpenAi);
        options.ca = Some(path.clone());
        let error = ModelSummariser::new(options).unwrap_err();
        assert!(
            matches!(&error, ModelError::Certificates { path: named, .. } if *named == path),
            "{error:?}"
        );
    }
}
