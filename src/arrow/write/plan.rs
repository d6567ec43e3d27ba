//! An Arrow schema met with options: the Parquet schema, what each leaf is written with, and the way to it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef};

use crate::arrow::stored_schema::KEY;
use crate::arrow::write::ArrayWriter;
use crate::arrow::write::route::{Route, routes};
use crate::arrow::{WriteTypeOptions, stored_schema_entry, to_parquet_schema};
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::Leaf;
use crate::write::{BatchSettings, LeafWriter, WritePlan, WriterOptions};

/// What record batches of one schema are written with, made once a file and shared by all that encode.
///
/// [`ArrowWriter`](crate::arrow::ArrowWriter) makes and uses one. With threads of one's own, each column can be encoded
/// anywhere:
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int32Array, RecordBatch};
/// use herringbone::arrow::ArrowPlan;
/// use herringbone::write::{FileWriter, WriterOptions};
///
/// let batch = RecordBatch::try_from_iter([("a", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef)]).unwrap();
/// let plan = ArrowPlan::new(batch.schema(), WriterOptions::default())?;
/// let mut file = FileWriter::with_plan(Vec::new(), Arc::clone(plan.write_plan()))?;
/// let chunks = (0..plan.num_leaves()).map(|leaf| {
///     // Everything in here could be done by another thread.
///     let mut writer = plan.array_writer(leaf)?;
///     writer.write(batch.column(writer.column()))?;
///     writer.finish()
/// });
/// file.append_row_group(chunks.collect::<herringbone::Result<Vec<_>>>()?)?;
/// assert_eq!(file.close()?.num_rows(), 2);
/// # Ok::<(), herringbone::Error>(())
/// ```
#[derive(Debug)]
pub struct ArrowPlan {
    schema: SchemaRef,
    plan: Arc<WritePlan>,
    routes: Vec<Arc<Route>>,
    truncate: bool,
}

impl ArrowPlan {
    /// Checks options against a schema.
    ///
    /// # Errors
    /// As [`to_parquet_schema`] and [`WritePlan::new`] say; `Usage` for timestamps both as INT96 and in another unit.
    pub fn new(schema: SchemaRef, options: WriterOptions) -> Result<Arc<Self>> {
        let settings = options.batches.clone();
        if settings.int96_timestamps && settings.timestamp_unit.is_some() {
            return Err(Error::usage("INT96 timestamps have nanoseconds: leave out their unit, or INT96"));
        }
        let stored = if settings.spark_names { Arc::new(spark_schema(&schema)?) } else { Arc::clone(&schema) };
        let parquet = to_parquet_schema(&stored, &type_options(&settings))?;
        let columns: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
        let routes: Vec<_> = routes(&columns, &parquet)?.into_iter().map(Arc::new).collect();
        let mut options = with_key_values(options, &stored, settings.stored_schema);
        if settings.spark_names {
            options.rename_columns(spark_name);
        }
        // pyarrow, which finds the stored schema, decodes no other encodings to dictionaries.
        let is_dictionary = |leaf: &Leaf| {
            let is_text = leaf.physical_type == PhysicalType::ByteArray;
            settings.stored_schema && is_text && routes.get(leaf.index).is_some_and(|route| route.is_dictionary)
        };
        let plan = WritePlan::with_classic(Arc::new(parquet), options, is_dictionary)?;
        Ok(Arc::new(Self { schema, plan, routes, truncate: settings.allow_truncation }))
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The schema and options of the file.
    pub fn write_plan(&self) -> &Arc<WritePlan> {
        &self.plan
    }

    /// The number of leaf columns.
    pub fn num_leaves(&self) -> usize {
        self.routes.len()
    }

    /// An encoder of a leaf column for a row group.
    ///
    /// # Errors
    /// `Usage` when there is no such leaf.
    pub fn array_writer(&self, leaf: usize) -> Result<ArrayWriter> {
        let route = self.routes.get(leaf).ok_or_else(|| Error::usage(format!("there is no leaf column {leaf}")))?;
        Ok(ArrayWriter::new(Arc::clone(route), LeafWriter::new(&self.plan, leaf)?, Arc::clone(&self.plan), self.truncate))
    }

    /// Checks that a batch has the columns of the schema; how fields inside of them are called does not matter.
    ///
    /// # Errors
    /// `Usage` naming the first column that differs.
    pub fn check(&self, batch: &RecordBatch) -> Result<()> {
        let found = batch.schema_ref();
        if Arc::ptr_eq(found, &self.schema) {
            return Ok(());
        }
        let (expected, found) = (self.schema.fields(), found.fields());
        if expected.len() != found.len() {
            return Err(Error::usage(format!("the batch has {} columns, the schema {}", found.len(), expected.len())));
        }
        for (expected, found) in expected.iter().zip(found) {
            if expected.name() != found.name() || !expected.data_type().equals_datatype(found.data_type()) {
                let error = format!("the batch has a column {:?} of {} there", found.name(), found.data_type());
                return Err(Error::usage(format!("{error}, the schema wants {}", expected.data_type())).in_column(expected.name().clone()));
            }
        }
        Ok(())
    }
}

fn type_options(settings: &BatchSettings) -> WriteTypeOptions {
    WriteTypeOptions {
        root: settings.root.clone(),
        decimals_as_integers: settings.decimals_as_integers,
        int96_timestamps: settings.int96_timestamps,
        timestamp_unit: settings.timestamp_unit,
    }
}

/// The file's metadata: what the caller gives, then that of the schema, then the schema itself.
fn with_key_values(options: WriterOptions, schema: &ArrowSchema, stored_schema: bool) -> WriterOptions {
    let mut known: HashSet<String> = options.key_values().iter().map(|(key, _)| key.clone()).collect();
    let mut entries: Vec<_> = schema.metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    entries.retain(|(key, _)| key != KEY);
    entries.sort();
    entries.extend(stored_schema.then(|| stored_schema_entry(schema)));
    entries.retain(|(key, _)| known.insert(key.clone()));
    let mut options = options;
    options.add_key_values(entries);
    options
}

/// The schema with names that Spark takes.
fn spark_schema(schema: &ArrowSchema) -> Result<ArrowSchema> {
    Ok(ArrowSchema::new_with_metadata(spark_fields(schema.fields())?, schema.metadata().clone()))
}

fn spark_fields(fields: &Fields) -> Result<Fields> {
    let mut names = HashMap::new();
    let mut renamed = Vec::with_capacity(fields.len());
    for field in fields {
        let field = spark_field(field)?;
        if let Some(other) = names.insert(field.name().clone(), field.name().clone()) {
            return Err(Error::usage(format!("two fields are called {other:?} when their names are made fit for Spark: rename one")));
        }
        renamed.push(field);
    }
    Ok(renamed.into())
}

/// A name or a path that Spark takes.
fn spark_name(name: &str) -> String {
    name.replace([' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='], "_")
}

fn spark_field(field: &FieldRef) -> Result<FieldRef> {
    let name = spark_name(field.name());
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(spark_fields(fields)?),
        DataType::List(item) => DataType::List(spark_field(item)?),
        DataType::LargeList(item) => DataType::LargeList(spark_field(item)?),
        DataType::ListView(item) => DataType::ListView(spark_field(item)?),
        DataType::LargeListView(item) => DataType::LargeListView(spark_field(item)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(spark_field(item)?, *size),
        DataType::Map(entries, sorted) => DataType::Map(spark_field(entries)?, *sorted),
        other => other.clone(),
    };
    let renamed = Field::new(name, data_type, field.is_nullable()).with_metadata(field.metadata().clone());
    Ok(Arc::new(renamed))
}
