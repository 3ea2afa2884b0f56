use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

struct Site {
    doors: Doors,
    folder: tempfile::TempDir,
}

impl Site {
    fn new(configuration: &str) -> Self {
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let folder = tempfile::tempdir().expect("a folder");
        doors.disk.create_folder(&folder.path().join("data")).expect("made");
        doors
            .disk
            .replace(&folder.path().join("hilum.toml"), configuration.as_bytes())
            .expect("written");
        Self { doors, folder }
    }

    fn client(&self) -> anyhow::Result<Client<'_>> {
        Client::new(&self.doors, &self.folder.path().join("hilum.toml"))
    }

    /// A gateway that answers the next request with these bytes.
    async fn answering(&self, answer: &'static str) {
        let at = Address::Local(self.folder.path().join("data/control.sock"));
        let acceptor = self.doors.net.listen(&at).await.expect("bound");
        self.doors.tasks.spawn(
            "gateway",
            Box::pin(async move {
                let mut connection = acceptor.accept().await.expect("a connection");
                let mut request = [0; 4096];
                let _ = connection.stream.read(&mut request).await;
                connection.stream.write_all(answer.as_bytes()).await.expect("written");
            }),
        );
    }
}

const RIGHT: &str = "[gateway]\nname = \"a\"\ndata = \"data\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_json() {
    let site = Site::new(RIGHT);
    site.answering("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"ready\":true}").await;
    let answer = site.client().expect("a socket").get("/v1/status").await.expect("an answer");
    assert_eq!(answer["ready"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_a_sentence_with_a_code() {
    let site = Site::new(RIGHT);
    site.answering(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 46\r\n\r\n\
         {\"title\":\"not permitted\",\"detail\":\"ask\",\"a\":0}",
    )
    .await;
    let fault = site.client().expect("a socket").get("/v1/status").await.expect_err("no");
    assert_eq!(fault.to_string(), "not permitted: ask");
    assert_eq!(crate::exit::of(&fault), Exit::Permission);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_gateway_runs_the_user_is_told_how_to_start_one() {
    let site = Site::new(RIGHT);
    let fault = site.client().expect("a socket").get("/v1/status").await.expect_err("no");
    assert!(fault.to_string().contains("start it with: hilum serve -c"), "{fault}");
    assert_eq!(crate::exit::of(&fault), Exit::Temporary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_without_a_data_folder_is_a_configuration_problem() {
    let site = Site::new("[gateway]\nname = \"a\"\n");
    let fault = site.client().err().expect("no");
    assert!(fault.to_string().ends_with("gateway.data does not name a folder"), "{fault}");
    assert_eq!(crate::exit::of(&fault), Exit::Configuration);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_elsewhere_does_not_lock_an_operator_out() {
    let site = Site::new("[gateway]\ndata = \"data\"\ntimezon = 5\n[plugin.x]\nfile = \"gone\"\n");
    assert!(site.client().is_ok());
}
