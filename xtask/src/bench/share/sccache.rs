//! The server of sccache, which computes for all of its clients.
//!
//! It runs as a child of ours, with a port of its own, so that it can be measured and ended.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server, which may not run.
pub(crate) struct Server {
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Finds a port.
    pub(crate) fn new(program: &Path) -> Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let address = listener.and_then(|it| it.local_addr());
        Ok(Server {
            program: program.to_path_buf(),
            port: address.context("failed to find a free port")?.port(),
            child: None,
        })
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
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
            .env("SCCACHE_START_SERVER", "1")
            .env("SCCACHE_NO_DAEMON", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(process::spawn(&mut command)?);
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if began.elapsed() > PATIENCE {
                bail!("the server of sccache does not answer");
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
        child
            .kill()
            .context("failed to end the server of sccache")?;
        child
            .wait()
            .context("failed to wait for the server of sccache")?;
        Ok(())
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

    #[test]
    fn a_server_that_does_not_run_can_be_stopped() {
        let mut server = Server::new(Path::new("sccache")).unwrap();
        assert!(server.port() > 0 && server.id().is_none());
        server.stop().unwrap();
    }
}
