//! An Arrow schema as the Parquet schema that it is stored by.
//!
//! Lists and maps take the standard layouts of `LogicalTypes.md` with their names; what Arrow called the items, and all
//! else that Parquet cannot say, is kept in the stored Arrow schema. Dictionaries and run-end encoded columns are stored
//! as what is in them: their encoding in the file is Parquet's own.

use arrow_schema::{DataType, Field as ArrowField, Fields, Schema as ArrowSchema};

use crate::arrow::mapping::FIELD_ID;
use crate::arrow::{extension, table};
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::{Field, LogicalType, Repetition, Schema, TimeUnit};

/// What is wanted of a file's types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteTypeOptions {
    /// The root's name.
    pub root: String,
    /// Whether decimals of up to 18 digits are stored as INT32 and INT64, which is smaller and faster than bytes.
    pub decimals_as_integers: bool,
    /// Whether timestamps are stored as INT96, as old versions of Spark, Hive and Impala want them.
    pub int96_timestamps: bool,
    /// The unit of all timestamps; `None` keeps the unit that each has, milliseconds instead of seconds.
    pub timestamp_unit: Option<TimeUnit>,
}

impl Default for WriteTypeOptions {
    fn default() -> Self {
        Self { root: "schema".to_owned(), decimals_as_integers: true, int96_timestamps: false, timestamp_unit: None }
    }
}

/// The Parquet schema by which record batches of an Arrow schema are stored.
///
/// Together with the entry that [`stored_schema_entry`](crate::arrow::stored_schema_entry) makes for the file's key-value
/// metadata it can be turned back into the same Arrow schema.
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
/// use herringbone::arrow::{WriteTypeOptions, to_parquet_schema};
///
/// let list = DataType::List(Field::new("item", DataType::UInt8, true).into());
/// let arrow = Schema::new(vec![Field::new("a", list, false)]);
/// let parquet = to_parquet_schema(&arrow, &WriteTypeOptions::default())?;
/// assert_eq!(parquet.leaves()[0].path.dotted(), "a.list.element");
/// # Ok::<(), herringbone::Error>(())
/// ```
///
/// # Errors
/// `Usage` for types that Parquet cannot store (unions, decimals of a negative scale, structs without fields, maps whose
/// entries are not pairs), naming the field; and what [`Schema::new`] refuses.
pub fn to_parquet_schema(schema: &ArrowSchema, options: &WriteTypeOptions) -> Result<Schema> {
    Schema::new(options.root.clone(), fields(schema.fields(), options)?)
}

fn fields(arrow: &Fields, options: &WriteTypeOptions) -> Result<Vec<Field>> {
    arrow.iter().map(|child| field(child, options).map_err(|error| error.in_column(child.name().clone()))).collect()
}

fn field(arrow: &ArrowField, options: &WriteTypeOptions) -> Result<Field> {
    let field = content(arrow, arrow.data_type(), arrow.is_nullable(), options)?;
    Ok(match arrow.metadata().get(FIELD_ID).and_then(|id| id.parse().ok()) {
        Some(id) => field.with_field_id(id),
        None => field,
    })
}

fn content(arrow: &ArrowField, data_type: &DataType, nullable: bool, options: &WriteTypeOptions) -> Result<Field> {
    let name = arrow.name().clone();
    let repetition = if nullable { Repetition::Optional } else { Repetition::Required };
    Ok(match data_type {
        DataType::Dictionary(_, values) => content(arrow, values, nullable, options)?,
        DataType::RunEndEncoded(_, values) => content(arrow, values.data_type(), nullable || values.is_nullable(), options)?,
        DataType::Struct(children) => {
            if children.is_empty() {
                return Err(Error::usage("a struct without fields cannot be stored in a Parquet file: give it one or leave it out"));
            }
            let group = Field::group(name, repetition, fields(children, options)?);
            match extension::logical_type(arrow) {
                Some(variant @ LogicalType::Variant { .. }) => group.with_logical_type(variant),
                _ => group,
            }
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => {
            let element = field(item, options)?;
            match nullable {
                true => Field::optional_list(name, element),
                false => Field::required_list(name, element),
            }
        }
        DataType::Map(entries, _) => {
            let [key, value] = pair(entries.data_type())?;
            let (key, value) = (field(key, options)?, field(value, options)?);
            match nullable {
                true => Field::optional_map(name, key, value),
                false => Field::required_map(name, key, value),
            }
        }
        leaf => self::leaf(arrow, leaf, name, repetition, options)?,
    })
}

fn pair(entries: &DataType) -> Result<[&ArrowField; 2]> {
    match entries {
        DataType::Struct(fields) => match fields.as_ref() {
            [key, value] => Ok([key, value]),
            _ => Err(Error::usage("the entries of a map are a struct of key and value")),
        },
        _ => Err(Error::usage("the entries of a map are a struct of key and value")),
    }
}

fn leaf(arrow: &ArrowField, data_type: &DataType, name: String, repetition: Repetition, options: &WriteTypeOptions) -> Result<Field> {
    let (physical_type, length, logical_type) = match (data_type, options.timestamp_unit) {
        (DataType::Timestamp(..), _) if options.int96_timestamps => (PhysicalType::Int96, 0, None),
        (DataType::Timestamp(_, zone), Some(unit)) => (PhysicalType::Int64, 0, Some(LogicalType::Timestamp { utc: zone.is_some(), unit })),
        _ => table::to_parquet(data_type, options.decimals_as_integers)?,
    };
    // A column of nulls has no value that it could require.
    let repetition = if *data_type == DataType::Null { Repetition::Optional } else { repetition };
    let field = match physical_type {
        PhysicalType::FixedLenByteArray => Field::fixed(name, repetition, length),
        physical_type => Field::primitive(name, repetition, physical_type),
    };
    // An extension is about the values, which are inside of a dictionary.
    let values = arrow.clone().with_data_type(data_type.clone());
    Ok(match extension::logical_type(&values).or(logical_type) {
        Some(logical_type) => field.with_logical_type(logical_type),
        None => field,
    })
}
