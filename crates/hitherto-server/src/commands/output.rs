//! Where a command writes, the terminal that it may ask, and how all of it looks.
//!
//! Invariant: commands reach standard input, output and error through this alone, so a test can be all three.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use hitherto::{Clock, Timestamp};

use crate::settings::Color;

/// What the streams of a command are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// Whether standard output has colours.
    pub(crate) colour: bool,
    /// Where text is wrapped, in columns; not at all if it does not go to a terminal.
    pub(crate) width: Option<usize>,
    /// Whether a person can answer: standard input and error are terminals.
    pub(crate) asks: bool,
    /// Whether standard error is a terminal, on which progress is shown.
    pub(crate) progress: bool,
    /// The time, for "3 minutes ago".
    pub(crate) clock: Clock,
}

/// Where a command writes, and where it reads what it is given to store.
pub(crate) struct Output {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Option<Box<dyn BufRead + Send>>,
    look: Look,
}

impl Output {
    /// The streams of this process.
    pub(crate) fn standard(color: Color) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = color.on(out.is_terminal() && !dumb);
        let width = out.is_terminal().then(|| {
            terminal_size::terminal_size_of(&out)
                .map_or(80, |(terminal_size::Width(width), _)| usize::from(width))
        });
        let look = Look {
            colour: wanted,
            width,
            asks: io::stdin().is_terminal() && err.is_terminal(),
            progress: err.is_terminal(),
            clock: Clock::default(),
        };
        Self::new(BufWriter::new(out), err, BufReader::new(io::stdin()), look)
    }

    /// Any streams.
    pub(crate) fn new(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        input: impl BufRead + Send + 'static,
        look: Look,
    ) -> Self {
        Self { out: Box::new(out), err: Box::new(err), input: Some(Box::new(input)), look }
    }

    /// How it looks.
    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.look.clock.now()
    }

    /// Says something beside the answer, on standard error. That nobody hears it is no failure.
    pub(crate) fn note(&mut self, text: &str) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}").and_then(|()| self.err.flush());
    }

    /// Standard input, for whoever comes first.
    ///
    /// # Errors
    /// If it was taken before.
    pub(crate) fn take_input(&mut self) -> io::Result<Box<dyn BufRead + Send>> {
        self.input.take().ok_or_else(|| io::Error::other("standard input can be read only once"))
    }

    /// Asks a question that `y` or `yes` agrees to; anything else, the end included, does not.
    ///
    /// # Errors
    /// If the terminal cannot be read.
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<bool> {
        self.out.flush()?;
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        let mut answer = String::new();
        if let Some(input) = &mut self.input {
            input.read_line(&mut answer)?;
        }
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// What the process ends with: flushes, says what failed, and keeps quiet about a reader that went away.
    pub(crate) fn conclude(mut self, result: anyhow::Result<ExitCode>) -> ExitCode {
        let result = result.and_then(|code| {
            self.out.flush()?;
            Ok(code)
        });
        match result {
            Ok(code) => code,
            Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
            Err(error) => {
                self.note(&format!("error: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// What is written goes to standard output.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("look", &self.look).finish_non_exhaustive()
    }
}

/// Whether the reader of our output went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
