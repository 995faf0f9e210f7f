//! What a compiled program or library may do, by its symbols, and the texts in it.
//!
//! The standard library is linked into programs, build scripts and macros, and what is not used is
//! dropped: so a program that has no symbol of `std::fs` opens no file. What every library of a macro has
//! (measured with an empty one, rustc 1.95: the panic machinery asks for the current folder and
//! executable, reads `/proc` and aborts) says nothing.
//!
//! Programs are large, and a build has many: of ELF files, the usual ones, only the names and constants are
//! read, and only the constants are kept.
//!
//! What this does not see: C code, and `extern "C"` calls of the platform's functions.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::memmem;
use object::elf::{
    FileHeader64, SHF_ALLOC, SHF_EXECINSTR, SHT_DYNSYM, SHT_PROGBITS, SHT_SYMTAB, SectionHeader64,
};
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, ReadCache};

/// What a program or library may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Powers {
    /// It may read environment variables that it knows by name.
    pub reads_env: bool,
    /// It may list all environment variables.
    pub lists_env: bool,
    /// It may look at files, or start programs that do.
    pub reads_files: bool,
    /// It may use the network.
    pub uses_network: bool,
    /// It may start programs.
    pub starts_programs: bool,
    /// It asks for the time.
    pub asks_clock: bool,
}

impl Powers {
    /// The powers of a library about which nothing is known.
    pub(crate) const ALL_LOCAL: Powers = Powers {
        reads_env: true,
        lists_env: true,
        reads_files: true,
        uses_network: false,
        starts_programs: true,
        asks_clock: false,
    };

    /// Returns whether a macro can read what it was not given.
    pub fn is_impure(self) -> bool {
        self.reads_env || self.reads_files || self.uses_network
    }

    /// Returns what two may do together.
    pub(crate) fn and(self, other: Powers) -> Powers {
        Powers {
            reads_env: self.reads_env || other.reads_env,
            lists_env: self.lists_env || other.lists_env,
            reads_files: self.reads_files || other.reads_files,
            uses_network: self.uses_network || other.uses_network,
            starts_programs: self.starts_programs || other.starts_programs,
            asks_clock: self.asks_clock || other.asks_clock,
        }
    }
}

/// What is known of a compiled program.
#[derive(Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) powers: Powers,
    /// Whether it asks what the processor can do.
    pub(crate) asks_processor: bool,
    /// Its constants, among them every text that it has; all of it, if they cannot be told.
    pub(crate) text: Vec<u8>,
}

impl Program {
    /// Reads a program or library.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn read(path: &Path) -> io::Result<Program> {
        match Parts::of(path) {
            Some(parts) => parts.read(),
            None => Ok(Program::of(std::fs::read(path)?)),
        }
    }

    /// Judges a file of any format, which is held in memory.
    fn of(content: Vec<u8>) -> Program {
        let mut names = Names::default();
        let mut text = Vec::new();
        if let Ok(file) = object::File::parse(&*content) {
            let symbols = file.symbols().filter_map(|it| it.name().ok());
            symbols.for_each(|name| names.see(name));
            let taken = file.dynamic_symbols().filter_map(|it| it.name().ok());
            taken.for_each(|name| names.take(name));
            let sections = file.sections().filter(|it| is_constant(it.kind()));
            let data: Vec<&[u8]> = sections.filter_map(|it| it.data().ok()).collect();
            text = data.join(&b'\0');
        }
        Program {
            powers: names.judge(),
            asks_processor: memmem::find(&content, PROCESSOR.as_bytes()).is_some(),
            text: if text.is_empty() { content } else { text },
        }
    }
}

/// The module of the standard library that asks what the processor can do.
const PROCESSOR: &str = "std_detect";

fn is_constant(kind: object::SectionKind) -> bool {
    use object::SectionKind::{Data, ReadOnlyData, ReadOnlyString};
    matches!(kind, Data | ReadOnlyData | ReadOnlyString)
}

/// Sections of an ELF file that are constants, and never texts of the program: tables for unwinding.
const TABLES: &[&[u8]] = &[b".eh_frame", b".eh_frame_hdr", b".gcc_except_table"];

/// Where the parts of an ELF file are, as offset and length.
struct Parts {
    file: File,
    symbols: Option<(u64, u64)>,
    taken: Option<(u64, u64)>,
    constants: Vec<(u64, u64)>,
}

impl Parts {
    /// Finds the parts of a file; `None` if it is no ELF file of 64 bits with constants.
    fn of(path: &Path) -> Option<Parts> {
        let cache = ReadCache::new(File::open(path).ok()?);
        let header = FileHeader64::<Endianness>::parse(&cache).ok()?;
        let endian = header.endian().ok()?;
        let sections = header.sections(endian, &cache).ok()?;
        let range = |it: &SectionHeader64<Endianness>| it.file_range(endian);
        let names_of = |kind| {
            let symbols = sections.iter().find(|it| it.sh_type(endian) == kind)?;
            range(sections.section(symbols.link(endian)).ok()?)
        };
        let is_constant = |it: &&SectionHeader64<Endianness>| {
            let flags = it.sh_flags(endian) as u32;
            let name = sections.section_name(endian, it).unwrap_or_default();
            it.sh_type(endian) == SHT_PROGBITS
                && flags & (SHF_ALLOC | SHF_EXECINSTR) == SHF_ALLOC
                && !TABLES.contains(&name)
        };
        let (symbols, taken) = (names_of(SHT_SYMTAB), names_of(SHT_DYNSYM));
        let constants = sections.iter().filter(is_constant).filter_map(range);
        let constants: Vec<_> = constants.filter(|(_, length)| *length > 0).collect();
        let file = File::open(path).ok()?;
        (!constants.is_empty()).then_some(Parts {
            file,
            symbols,
            taken,
            constants,
        })
    }

    fn read(mut self) -> io::Result<Program> {
        let mut names = Names::default();
        let mut asks_processor = false;
        if let Some(range) = self.symbols {
            let processor = memmem::Finder::new(PROCESSOR);
            self.names(range, |name| {
                asks_processor = asks_processor || processor.find(name.as_bytes()).is_some();
                names.see(name);
            })?;
        }
        if let Some(range) = self.taken {
            self.names(range, |name| names.take(name))?;
        }
        let length: u64 = self.constants.iter().map(|(_, length)| length + 1).sum();
        let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        for range in std::mem::take(&mut self.constants) {
            if !text.is_empty() {
                text.push(b'\0');
            }
            self.at(range)?.read_to_end(&mut text)?;
        }
        Ok(Program {
            powers: names.judge(),
            asks_processor: asks_processor || memmem::find(&text, PROCESSOR.as_bytes()).is_some(),
            text,
        })
    }

    /// Shows each name in a table of names, which are ended by zeroes, to `see`.
    fn names(&mut self, range: (u64, u64), mut see: impl FnMut(&str)) -> io::Result<()> {
        let mut reader = BufReader::new(self.at(range)?);
        let mut name = Vec::new();
        while reader.read_until(b'\0', &mut name)? > 0 {
            if name.last() == Some(&b'\0') {
                name.pop();
            }
            if let Ok(name) = std::str::from_utf8(&name) {
                see(name);
            }
            name.clear();
        }
        Ok(())
    }

    fn at(&mut self, (offset, length): (u64, u64)) -> io::Result<io::Take<&mut File>> {
        self.file.seek(SeekFrom::Start(offset))?;
        Ok((&mut self.file).take(length))
    }
}

/// What was seen of a program's symbols.
#[derive(Debug)]
struct Names {
    /// Finds the standard library in symbols: programs have many.
    library: memmem::Finder<'static>,
    powers: Powers,
    /// Whether there are symbols of the standard library: if not, they were stripped.
    is_told: bool,
    /// Whether it takes functions of the network from the platform.
    takes_network: bool,
}

/// The standard library, as both manglings write it.
const LIBRARY: &str = "3std";

impl Default for Names {
    fn default() -> Names {
        Names {
            library: memmem::Finder::new(LIBRARY),
            powers: Powers::default(),
            is_told: false,
            takes_network: false,
        }
    }
}

impl Powers {
    /// Sees what follows the standard library in a symbol.
    fn see(&mut self, path: &str) {
        let uses = |module: &str, harmless: &[&str]| {
            let used = path.strip_prefix(module);
            used.is_some_and(|rest| !harmless.iter().any(|name| rest.starts_with(name)))
        };
        self.reads_env |= uses("3env", &["11current_dir", "11current_exe"]);
        self.lists_env |= path.starts_with("3env4vars") || path.starts_with("3env7vars_os");
        self.reads_files |= uses(
            "2fs",
            &["24buffer_capacity_required", "RNtB5_4FileNtNtB7_2io4Read"],
        );
        self.starts_programs |= uses("7process", &["5abort", "4exit"]);
        self.uses_network |= path.starts_with("3net");
    }
}

impl Names {
    /// Sees a symbol of the program.
    fn see(&mut self, symbol: &str) {
        // Both manglings write a path as lengths and names.
        let mut rest = symbol;
        let mut is_of_path = false;
        while let Some(at) = self.library.find(rest.as_bytes()) {
            rest = &rest[at + LIBRARY.len()..];
            self.is_told = true;
            self.powers.see(rest);
            is_of_path |= rest.starts_with("4path");
        }
        if rest.len() == symbol.len() {
            return;
        }
        let powers = &mut self.powers;
        powers.reads_files |= is_of_path && ASKING.iter().any(|method| symbol.contains(method));
        powers.asks_clock |= symbol.contains("10SystemTime3now");
    }

    /// Sees a symbol that it takes from the platform. Linkers store a name that is the end of another one only
    /// as that end.
    fn take(&mut self, symbol: &str) {
        let of_network = ["connect", "getaddrinfo", "socket"];
        self.takes_network |= of_network.iter().any(|name| symbol.ends_with(name));
    }

    /// Returns what the program may do. One without symbols may do anything; of the network, what it takes
    /// from the platform tells.
    fn judge(self) -> Powers {
        let mut powers = self.powers;
        if !self.is_told {
            powers = Powers::ALL_LOCAL;
            powers.uses_network = self.takes_network;
            return powers;
        }
        powers.reads_files |= powers.starts_programs;
        powers.reads_env |= powers.starts_programs;
        // Starting a program lists the variables that it inherits, whoever reads them.
        powers.lists_env &= !powers.starts_programs;
        powers
    }
}

/// Methods of `Path` that look at the file system.
const ASKING: &[&str] = &[
    "4Path6exists",
    "4Path7is_file",
    "4Path6is_dir",
    "4Path10is_symlink",
    "4Path10try_exists",
    "4Path8read_dir",
    "4Path9read_link",
    "4Path8metadata",
    "4Path16symlink_metadata",
    "4Path12canonicalize",
];

#[cfg(test)]
mod tests;
