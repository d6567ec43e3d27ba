//! A window of a row group's rows on its way: the filter's columns, then the others.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::{BooleanBuffer, Buffer};
use arrow_select::filter::{FilterBuilder, FilterPredicate, prep_null_mask_filter};

use crate::arrow::filter::fetch::Needs;
use crate::arrow::filter::prune::Pruned;
use crate::arrow::filter::selection::Selection;
use crate::arrow::filter::{Filter, RowFunction};
use crate::arrow::lanes::{Access, Lane, with_scratch};
use crate::arrow::plan::{Batch, Plan};
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::metadata::OffsetIndex;
use crate::predicate::{Evaluator, Formula, RowRanges, and, or};
use crate::read::{LeafData, LeafReader, Room, Scratch};
use crate::values::Bits;

/// Rows of one row group.
#[derive(Clone)]
pub(crate) struct Unit {
    /// An index in [`Plan::groups`].
    pub(crate) group: usize,
    /// Rows of which some may pass, and those of them that all do.
    some: RowRanges,
    all: RowRanges,
    conditions: Arc<[Condition]>,
    /// Where pages are, of the columns for which that is known.
    indexes: HashMap<usize, Arc<OffsetIndex>>,
    batch_rows: usize,
    /// The selected rows, batch by batch.
    pub(super) outputs: VecDeque<Selection>,
    /// The dictionaries of the filter's columns, by leaf, which may be among those that are read for the selected rows.
    dictionaries: HashMap<usize, Arc<Dictionary>>,
}

/// One of the conditions that a row has to meet.
pub(super) struct Condition {
    formula: Formula,
    leaves: Vec<usize>,
}

/// Rows that pass without being looked at are cut out of their neighbours only where they are so many.
const WORTH_CUTTING: u64 = 4096;

impl Condition {
    pub(super) fn leaves(&self) -> &[usize] {
        &self.leaves
    }

    /// The conditions of a row group, in the order in which they are worth checking: cheap and selective ones first.
    pub(super) fn all(plan: &Plan, filter: &Filter, group: usize, residual: &Formula) -> Arc<[Condition]> {
        let terms = match residual {
            Formula::Constant(_) => Vec::new(),
            Formula::And(terms) => terms.clone(),
            other => vec![other.clone()],
        };
        let mut ranked: Vec<(f64, Condition)> = terms.into_iter().map(|formula| rank(plan, filter, group, formula)).collect();
        ranked.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        ranked.into_iter().map(|(_, condition)| condition).collect()
    }
}

/// What a condition costs for each row that it spares the ones after it.
fn rank(plan: &Plan, filter: &Filter, group: usize, formula: Formula) -> (f64, Condition) {
    let tests = formula.tests();
    let mut leaves: Vec<usize> = tests.iter().filter_map(|test| filter.predicate.tests.get(*test)).map(|test| test.leaf).collect();
    leaves.sort_unstable();
    leaves.dedup();
    let row_group = plan.groups.get(group).and_then(|group| plan.file.metadata.row_group(group.index));
    let mut cost = 0.0;
    for leaf in &leaves {
        let chunk = row_group.and_then(|row_group| row_group.chunk(*leaf).ok());
        cost += chunk.map_or(0.0, |chunk| chunk.uncompressed_size as f64 + (chunk.range.end - chunk.range.start) as f64);
    }
    let passing = passing(&formula, &|test| {
        let (test, row_group) = filter.predicate.tests.get(test).zip(row_group)?;
        let statistics = row_group.statistics(test.leaf).ok().flatten();
        Some(test.estimate(statistics.as_ref(), row_group.num_rows()))
    });
    (cost / (1.001 - passing), Condition { formula, leaves })
}

fn passing(formula: &Formula, estimate: &impl Fn(usize) -> Option<f64>) -> f64 {
    match formula {
        Formula::Constant(value) => f64::from(u8::from(*value)),
        Formula::Test(test) => estimate(*test).unwrap_or(0.5),
        Formula::And(terms) => terms.iter().map(|term| passing(term, estimate)).product(),
        Formula::Or(terms) => 1.0 - terms.iter().map(|term| 1.0 - passing(term, estimate)).product::<f64>(),
    }
}

impl Unit {
    /// The rows of a window of what pruning left of a row group.
    pub(super) fn new(group: usize, window: RowRanges, pruned: &Pruned, conditions: Arc<[Condition]>, batch_rows: usize) -> Self {
        let all = pruned.all.and(&window);
        let indexes = pruned.indexes.clone();
        let (outputs, dictionaries) = (VecDeque::new(), HashMap::new());
        Self { group, some: window, all, conditions, indexes, batch_rows, outputs, dictionaries }
    }

    /// What the filter's columns need.
    pub(crate) fn filter_needs(&self, plan: &Plan, filter: &Filter) -> Result<Needs> {
        let mut leaves: Vec<usize> = self.conditions.iter().flat_map(|condition| condition.leaves.iter().copied()).collect();
        leaves.extend(filter.functions.iter().flat_map(|function| function.plan.leaves.iter().flatten()));
        leaves.sort_unstable();
        leaves.dedup();
        let rows = if filter.functions.is_empty() { self.some.without(&self.all) } else { self.some.clone() };
        self.needs(plan, &leaves, &rows)
    }

    fn needs(&self, plan: &Plan, leaves: &[usize], rows: &RowRanges) -> Result<Needs> {
        let group = plan.groups.get(self.group).ok_or_else(no_group)?;
        Needs::of(plan, group.index, group.num_rows, leaves, rows, &self.indexes)
    }

    pub(crate) fn indexes(&self) -> &HashMap<usize, Arc<OffsetIndex>> {
        &self.indexes
    }

    /// Finds the rows that pass, given what [`filter_needs`](Self::filter_needs) asks for.
    pub(crate) fn filter(&mut self, plan: &Plan, filter: &Filter, access: &Access) -> Result<()> {
        let group = plan.groups.get(self.group).ok_or_else(no_group)?;
        let selections = with_scratch(|scratch| self.select(plan, filter, group.index, access, scratch));
        self.outputs = selections.map_err(|error| error.in_row_group(group.index))?;
        Ok(())
    }

    fn select(
        &mut self,
        plan: &Plan,
        filter: &Filter,
        row_group: usize,
        access: &Access,
        scratch: &mut Scratch,
    ) -> Result<VecDeque<Selection>> {
        let mut evaluators: Vec<Evaluator<'_>> = filter.predicate.tests.iter().map(Evaluator::new).collect();
        let mut columns = Vec::with_capacity(self.conditions.len());
        for condition in self.conditions.iter() {
            let open = |leaf: &usize| access.open(plan, row_group, *leaf).map(|reader| Column { leaf: *leaf, reader });
            columns.push(condition.leaves.iter().map(open).collect::<Result<Vec<_>>>()?);
        }
        let mut functions =
            filter.functions.iter().map(|function| Function::open(function, self.group, access)).collect::<Result<Vec<_>>>()?;
        let mut outputs: VecDeque<Selection> = VecDeque::new();
        let (mut evaluated, mut passed) = (0_u64, 0_u64);
        for (ranges, decided) in self.pieces() {
            let mut selection = Selection::of(ranges);
            if !decided || !functions.is_empty() {
                evaluated = evaluated.saturating_add(selection.rows as u64);
            }
            let room = Arc::new(Room::new(&plan.file.limits));
            for (condition, columns) in self.conditions.iter().zip(&mut columns).take(if decided { 0 } else { usize::MAX }) {
                if selection.count == 0 {
                    break;
                }
                let data = columns.iter_mut().map(|column| column.read(&selection, &room, scratch)).collect::<Result<HashMap<_, _>>>()?;
                let bits = evaluate(&condition.formula, filter, &mut evaluators, selection.rows, &data);
                selection = selection.keep(bits);
            }
            for function in &mut functions {
                if selection.count > 0 {
                    let bits = function.call(&selection)?;
                    selection = selection.keep(bits);
                }
            }
            passed = passed.saturating_add(selection.count as u64);
            if selection.count > 0 {
                let rest = match outputs.back_mut() {
                    Some(last) => last.absorb(selection, self.batch_rows),
                    None => Some(selection),
                };
                outputs.extend(rest);
            }
        }
        let decided = if functions.is_empty() { self.all.len() } else { 0 };
        if passed > 0 {
            let read = columns.iter().flatten().filter_map(|column| Some((column.leaf, Arc::clone(column.reader.dictionary()?))));
            self.dictionaries = read.filter(|(leaf, _)| plan.leaves.iter().flatten().any(|wanted| wanted == leaf)).collect();
        }
        filter.count(|metrics| {
            metrics.rows_evaluated += evaluated;
            metrics.rows_decided += decided;
            metrics.rows_passed += passed;
        });
        Ok(outputs)
    }

    /// The rows in pieces of at most a batch, and whether they pass without being looked at.
    fn pieces(&self) -> Vec<(Vec<Range<u64>>, bool)> {
        let decided = RowRanges::of(self.all.ranges().iter().filter(|range| range.end - range.start >= WORTH_CUTTING).cloned());
        let decided = if self.conditions.is_empty() { self.some.clone() } else { decided };
        let open = self.some.without(&decided);
        let mut runs: Vec<(Range<u64>, bool)> = open.ranges().iter().map(|range| (range.clone(), false)).collect();
        runs.extend(decided.ranges().iter().map(|range| (range.clone(), true)));
        runs.sort_by_key(|(range, _)| range.start);
        let mut pieces: Vec<(Vec<Range<u64>>, bool)> = Vec::new();
        let mut room = 0;
        for (run, decided) in runs {
            let mut start = run.start;
            while start < run.end {
                match pieces.last_mut() {
                    Some((ranges, same)) if room > 0 && *same == decided => {
                        let end = run.end.min(start.saturating_add(room));
                        ranges.push(start..end);
                        room -= end - start;
                        start = end;
                    }
                    _ => {
                        pieces.push((Vec::new(), decided));
                        room = self.batch_rows.max(1) as u64;
                    }
                }
            }
        }
        pieces
    }

    /// Whether so many rows are selected that most pages hold some.
    pub(crate) fn wants_many(&self, plan: &Plan) -> bool {
        let selected: u64 = self.outputs.iter().map(|output| output.count as u64).sum();
        plan.groups.get(self.group).is_some_and(|group| selected.saturating_mul(1000) > group.num_rows)
    }

    /// Whether the chunks that the scan reads of its row group are small, also beside the memory that there is, and of a codec that gains from
    /// pages taken together.
    pub(super) fn is_small(&self, plan: &Plan) -> bool {
        let Some(group) = plan.groups.get(self.group) else { return false };
        let (mut bytes, mut uncompressed) = (0_u64, 0_u64);
        let mut any = false;
        for leaf in plan.leaves.iter().flatten() {
            let Ok(chunk) = plan.location(group.index, *leaf) else { return false };
            bytes = bytes.saturating_add(chunk.range.end.saturating_sub(chunk.range.start));
            uncompressed = uncompressed.saturating_add(chunk.uncompressed_size);
            any |= LeafReader::takes_several(chunk.codec);
        }
        any && bytes <= SMALL && uncompressed <= plan.file.limits.memory_bytes as u64 / 16
    }

    /// The first of the selected rows.
    pub(crate) fn first_row(&self) -> Option<u64> {
        Some(self.outputs.front()?.ranges.first()?.start)
    }

    /// Where the offset indexes are that tell which pages of the scan's columns hold the selected rows; none where nearly all pages
    /// will.
    pub(crate) fn index_needs(&self, plan: &Plan) -> Vec<(usize, Range<u64>)> {
        let Some(group) = plan.groups.get(self.group) else { return Vec::new() };
        let read: u64 = self.outputs.iter().map(|output| output.rows as u64).sum();
        if read == 0 || read.saturating_mul(2) > group.num_rows {
            return Vec::new();
        }
        let mut needs = Vec::new();
        for leaf in plan.leaves.iter().flatten().filter(|leaf| !self.indexes.contains_key(leaf)) {
            let Ok(chunk) = plan.location(group.index, *leaf) else { continue };
            if chunk.range.end - chunk.range.start >= WORTH_INDEX
                && let Some(range) = chunk.offset_index
            {
                needs.push((*leaf, range));
            }
        }
        // Of a lawful file no two overlap.
        let bytes = needs.iter().map(|(_, range)| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add);
        if bytes > plan.file.metadata.file_size() { Vec::new() } else { needs }
    }

    /// Takes the offset indexes that were asked for, from a source that has them. Those that cannot be read are left aside.
    pub(crate) fn give_indexes(&mut self, plan: &Plan, needs: Vec<(usize, Range<u64>)>, source: &dyn crate::read::Source) -> Result<()> {
        let Some(group) = plan.groups.get(self.group).and_then(|group| plan.file.metadata.row_group(group.index)) else { return Ok(()) };
        for (leaf, range) in needs {
            if let Ok(index) = group.parse_offset_index(leaf, &source.read(range)?) {
                self.indexes.insert(leaf, Arc::new(index));
            }
        }
        Ok(())
    }

    /// What the scan's columns need for the selected rows.
    pub(crate) fn output_needs(&self, plan: &Plan) -> Result<Needs> {
        let leaves: Vec<usize> = plan.leaves.iter().flatten().copied().collect();
        let rows = RowRanges::of(self.outputs.iter().flat_map(|output| output.ranges.iter().cloned()));
        self.needs(plan, &leaves, &rows)
    }

    /// Opens a field of the scan, given what [`output_needs`](Self::output_needs) asks for.
    pub(crate) fn open(&self, plan: &Plan, field: usize, access: &Access) -> Result<Lane> {
        let mut lane = Lane::open_on(plan, self.group, field, access)?;
        lane.give_dictionaries(&self.dictionaries);
        Ok(lane)
    }

    /// The arrays of a field for one of the outputs, in order.
    pub(crate) fn read(&self, plan: &Plan, lane: &mut Lane, output: &Selection, mask: Option<&FilterPredicate>) -> Result<Vec<ArrayRef>> {
        let batch = Batch { group: self.group, ranges: output.ranges.clone(), rows: output.rows };
        match (&output.kept, mask) {
            // Before they are arrays, strings are indices, and nothing was checked or copied yet.
            (Some(kept), _) if lane.is_flat(plan) => lane.read_kept(plan, &batch, Some(kept)),
            (Some(kept), Some(mask)) => filtered(lane.read(plan, &batch)?, kept, mask),
            _ => lane.read(plan, &batch),
        }
    }
}

/// Chunks of so many bytes together are held for two row groups at a time.
const SMALL: u64 = 4 << 20;
/// Chunks of fewer bytes are read as a whole.
const WORTH_INDEX: u64 = 64 << 10;

/// The bitmap of a selection, ready to filter the arrays of columns in lists, if there are any.
pub(crate) fn mask(plan: &Plan, selection: &Selection) -> Option<FilterPredicate> {
    let leaves = plan.file.metadata.schema().leaves();
    let in_list = |leaf: &usize| leaves.get(*leaf).is_some_and(|leaf| leaf.max_repetition_level > 0);
    if !plan.leaves.iter().flatten().any(in_list) {
        return None;
    }
    selection.kept.as_ref().map(|kept| FilterBuilder::new(&booleans(kept)).optimize().build())
}

fn booleans(bits: &Bits) -> BooleanArray {
    let words: Vec<u64> = bits.words().iter().map(|word| word.to_le()).collect();
    BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(words), 0, bits.len()), None)
}

/// Filters the arrays that a column is in, most often one.
fn filtered(arrays: Vec<ArrayRef>, kept: &Bits, mask: &FilterPredicate) -> Result<Vec<ArrayRef>> {
    if let [array] = arrays.as_slice()
        && array.len() == kept.len()
    {
        return Ok(vec![mask.filter(array).map_err(cannot_filter)?]);
    }
    let whole = booleans(kept);
    let mut start = 0;
    let mut left = Vec::with_capacity(arrays.len());
    for array in arrays {
        let part = whole.slice(start, array.len().min(whole.len().saturating_sub(start)));
        start = start.saturating_add(array.len());
        let array = arrow_select::filter::filter(&array, &part).map_err(cannot_filter)?;
        if !array.is_empty() {
            left.push(array);
        }
    }
    Ok(left)
}

#[cold]
fn cannot_filter(error: arrow_schema::ArrowError) -> Error {
    Error::malformed(format!("the rows cannot be picked: {error}")).with_source(error)
}

#[cold]
fn no_group() -> Error {
    Error::usage("there is no such row group in the plan")
}

/// A column of a condition.
struct Column {
    leaf: usize,
    reader: LeafReader,
}

impl Column {
    /// The rows of a selection, of which all columns together may take as much as those of a batch.
    fn read(&mut self, selection: &Selection, room: &Arc<Room>, scratch: &mut Scratch) -> Result<(usize, LeafData)> {
        let mut data = LeafData::default();
        self.reader.set_room(Arc::clone(room));
        self.reader.expect(&selection.ranges);
        self.reader.read_ranges(&selection.ranges, scratch, &mut data)?;
        self.reader.settle(scratch);
        Ok((self.leaf, data))
    }
}

fn evaluate(formula: &Formula, filter: &Filter, evaluators: &mut [Evaluator<'_>], rows: usize, data: &HashMap<usize, LeafData>) -> Bits {
    match formula {
        Formula::Constant(value) => Bits::repeat(*value, rows),
        Formula::Test(index) => {
            let leaf = filter.predicate.tests.get(*index).map(|test| test.leaf);
            match (evaluators.get_mut(*index), leaf.and_then(|leaf| data.get(&leaf))) {
                (Some(evaluator), Some(data)) => evaluator.rows(rows, &data.parts, &data.validity, &data.levels),
                _ => Bits::repeat(false, rows),
            }
        }
        Formula::And(terms) => combined(terms, filter, evaluators, rows, data, and),
        Formula::Or(terms) => combined(terms, filter, evaluators, rows, data, or),
    }
}

fn combined(
    terms: &[Formula],
    filter: &Filter,
    evaluators: &mut [Evaluator<'_>],
    rows: usize,
    data: &HashMap<usize, LeafData>,
    combine: fn(&Bits, &Bits) -> Bits,
) -> Bits {
    let mut all: Option<Bits> = None;
    for term in terms {
        let bits = evaluate(term, filter, evaluators, rows, data);
        all = Some(match all {
            Some(all) => combine(&all, &bits),
            None => bits,
        });
    }
    all.unwrap_or_else(|| Bits::repeat(true, rows))
}

/// A function of the caller's with its columns.
struct Function<'f> {
    function: &'f RowFunction,
    group: usize,
    lanes: Vec<Lane>,
}

impl<'f> Function<'f> {
    fn open(function: &'f RowFunction, group: usize, access: &Access) -> Result<Self> {
        let lanes = (0..function.plan.fields.len()).map(|field| Lane::open_on(&function.plan, group, field, access));
        Ok(Self { function, group, lanes: lanes.collect::<Result<_>>()? })
    }

    /// A bit for each row of the ranges. The function sees the selected rows alone.
    fn call(&mut self, selection: &Selection) -> Result<Bits> {
        let ranges = selection.picked();
        let batch = Batch { group: self.group, ranges, rows: selection.count };
        let mut arrays = Vec::with_capacity(self.lanes.len());
        for lane in &mut self.lanes {
            let pieces = lane.read(&self.function.plan, &batch)?;
            let joined = match pieces.as_slice() {
                [one] => Arc::clone(one),
                pieces => {
                    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
                    arrow_select::concat::concat(&pieces).map_err(|error| {
                        Error::limit("the values of one batch do not fit into one array: read fewer rows at a time").with_source(error)
                    })?
                }
            };
            arrays.push(joined);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(selection.count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.function.schema), arrays, &options).map_err(cannot_filter)?;
        let kept = self.function.call(&batch)?;
        let kept = if kept.null_count() > 0 { prep_null_mask_filter(&kept) } else { kept };
        let mut answers = kept.values().iter();
        let mut bits = Bits::new();
        match &selection.kept {
            None => answers.for_each(|answer| bits.push(answer)),
            Some(asked) => asked.iter().for_each(|asked| bits.push(asked && answers.next() == Some(true))),
        }
        Ok(bits)
    }
}
