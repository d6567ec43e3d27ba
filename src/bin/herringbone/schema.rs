//! `herringbone schema`: the schema of a file.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use arrow_schema::{DataType, Field, Schema};

use crate::failure::Result;
use crate::grid::shown;
use crate::input::open_for_streaming;

/// Prints the schema: Parquet's message text form, or Arrow's types
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// Print the Arrow schema that reading gives
    #[arg(long)]
    arrow: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let file = open_for_streaming(&args.file)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.arrow {
        true => print_arrow(&*file.arrow_schema()?, &mut out)?,
        false => write!(out, "{}", file.metadata().schema())?,
    }
    Ok(out.flush()?)
}

/// One field a line, those of nested types below it.
fn print_arrow(schema: &Schema, out: &mut dyn Write) -> io::Result<()> {
    for field in schema.fields() {
        print_field(field, 0, out)?;
    }
    let mut metadata: Vec<_> = schema.metadata().iter().collect();
    metadata.sort();
    if !metadata.is_empty() {
        writeln!(out, "metadata:")?;
    }
    for (key, value) in metadata {
        writeln!(out, "  {}: {}", shown(key), shown(value))?;
    }
    Ok(())
}

fn print_field(field: &Field, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let (name, children) = type_and_children(field.data_type());
    let null = if field.is_nullable() { "" } else { " not null" };
    write!(out, "{:indent$}{}: {name}{null}", "", shown(field.name()), indent = depth * 2)?;
    let mut metadata: Vec<_> = field.metadata().iter().collect();
    metadata.sort();
    for (i, (key, value)) in metadata.iter().enumerate() {
        write!(out, "{}{}={}", if i == 0 { " {" } else { ", " }, shown(key), shown(value))?;
    }
    writeln!(out, "{}", if metadata.is_empty() { "" } else { "}" })?;
    children.into_iter().try_for_each(|child| print_field(child, depth + 1, out))
}

/// The name of a type without what is below it, and what is.
fn type_and_children(data_type: &DataType) -> (String, Vec<&Field>) {
    match data_type {
        DataType::List(item) => ("List".to_owned(), vec![item]),
        DataType::LargeList(item) => ("LargeList".to_owned(), vec![item]),
        DataType::ListView(item) => ("ListView".to_owned(), vec![item]),
        DataType::LargeListView(item) => ("LargeListView".to_owned(), vec![item]),
        DataType::FixedSizeList(item, size) => (format!("FixedSizeList({size})"), vec![item]),
        DataType::Map(entries, sorted) => (if *sorted { "Map(sorted)" } else { "Map" }.to_owned(), vec![entries]),
        DataType::Struct(fields) => ("Struct".to_owned(), fields.iter().map(|field| &**field).collect()),
        other => (other.to_string(), Vec::new()),
    }
}
