//! The server of a cache, which computes for all of its clients.
//!
//! It runs as a child of ours, with a door of its own, so that it can be measured and ended.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::bench::share::peers::Setting;
use crate::process;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server is started, and where it is met.
pub(crate) struct Service {
    /// What it is told so that it stays in the foreground.
    pub(crate) arguments: &'static [&'static str],
    /// The same, by variables.
    pub(crate) settings: &'static [(&'static str, &'static str)],
    pub(crate) door: Door,
}

/// Where a server is met.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    /// A port, which a variable tells it and its clients.
    Port(&'static str),
    /// A socket, below the folder of the contender.
    Socket(&'static str),
}

/// A server, which may not run.
pub(crate) struct Server {
    service: &'static Service,
    program: PathBuf,
    met: Met,
    child: Option<Child>,
}

enum Met {
    Port(u16),
    Socket(PathBuf),
}

impl Server {
    /// Finds a door for a contender that works in `folder`.
    pub(crate) fn new(service: &'static Service, program: &Path, folder: &Path) -> Result<Server> {
        let met = match service.door {
            Door::Port(_) => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
                let address = listener.and_then(|it| it.local_addr());
                Met::Port(address.context("failed to find a free port")?.port())
            }
            Door::Socket(path) => Met::Socket(folder.join(path)),
        };
        Ok(Server {
            service,
            program: program.to_path_buf(),
            met,
            child: None,
        })
    }

    /// What its clients are told.
    pub(crate) fn setting(&self) -> Option<Setting> {
        match (self.service.door, &self.met) {
            (Door::Port(variable), Met::Port(port)) => Some((variable, port.to_string().into())),
            _ => None,
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it with the environment of a command.
    pub(crate) fn start(&mut self, environment: &Command) -> Result<()> {
        let mut command = Command::new(&self.program);
        for (name, value) in environment.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .args(self.service.arguments)
            .envs(self.service.settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(process::spawn(&mut command)?);
        let began = Instant::now();
        while !self.met.answers() {
            if began.elapsed() > PATIENCE {
                bail!("the server of `{}` does not answer", self.program.display());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let context = || format!("failed to end the server of `{}`", self.program.display());
        child.kill().with_context(context)?;
        child.wait().with_context(context)?;
        Ok(())
    }
}

impl Met {
    fn answers(&self) -> bool {
        match self {
            Met::Port(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok(),
            #[cfg(unix)]
            Met::Socket(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
            #[cfg(not(unix))]
            Met::Socket(path) => path.exists(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nobody left who could be told.
        let _ = self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BY_PORT: Service = Service {
        arguments: &[],
        settings: &[],
        door: Door::Port("PORT"),
    };
    static BY_SOCKET: Service = Service {
        arguments: &["30"],
        settings: &[],
        door: Door::Socket("socket"),
    };

    #[test]
    fn a_server_that_does_not_run_can_be_stopped() {
        let mut server = Server::new(&BY_PORT, Path::new("server"), Path::new("")).unwrap();
        assert!(server.setting().is_some() && server.id().is_none());
        server.stop().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_server_runs_until_it_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let _door = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let mut server = Server::new(&BY_SOCKET, Path::new("sleep"), folder.path()).unwrap();
        assert!(server.setting().is_none());
        server.start(&Command::new("sleep")).unwrap();
        assert!(server.id().is_some());
        server.stop().unwrap();
        assert!(server.id().is_none());
    }
}
