//! Statistics of well-known binary: the box around all coordinates and the types of the geometries (`Geospatial.md`).

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

use std::collections::BTreeSet;

use crate::format::{BoundingBox, GeospatialStatistics};

/// How deep collections of collections are followed.
const DEPTH: usize = 32;

/// Gathers the statistics of a column chunk.
#[derive(Clone, Debug)]
pub(crate) struct Geospatial {
    extent: Extent,
    types: BTreeSet<i32>,
    /// Whether some value was no well-known binary, so that its type is not known.
    unknown_types: bool,
}

/// Where coordinates are.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Whether edges follow the earth and coordinates are degrees.
    geography: bool,
    x: Axis,
    y: Axis,
    z: Axis,
    m: Axis,
    /// Whether there are edges, which in a geography reach farther than the points do.
    edges: bool,
}

#[derive(Clone, Copy, Debug)]
struct Axis {
    min: f64,
    max: f64,
}

impl Axis {
    const EMPTY: Self = Self { min: f64::INFINITY, max: f64::NEG_INFINITY };

    /// NaN is never taken.
    fn add(&mut self, coordinate: f64) {
        self.min = if coordinate < self.min { coordinate } else { self.min };
        self.max = if coordinate > self.max { coordinate } else { self.max };
    }

    fn bounds(self) -> Option<(f64, f64)> {
        (self.min <= self.max).then_some((self.min, self.max))
    }
}

/// What a geometry's head says.
struct Head {
    little_endian: bool,
    kind: u32,
    z: bool,
    m: bool,
}

impl Geospatial {
    pub(crate) fn new(geography: bool) -> Self {
        let (x, y, z, m) = (Axis::EMPTY, Axis::EMPTY, Axis::EMPTY, Axis::EMPTY);
        Self { extent: Extent { geography, x, y, z, m, edges: false }, types: BTreeSet::new(), unknown_types: false }
    }

    /// Adds a value; one that is no well-known binary makes the types unknown and adds nothing to the box.
    pub(crate) fn add(&mut self, wkb: &[u8]) {
        let mut extent = self.extent;
        let mut rest = wkb;
        match extent.geometry(&mut rest, 0) {
            Some(code) if rest.is_empty() => {
                self.types.insert(code);
                self.extent = extent;
            }
            _ => self.unknown_types = true,
        }
    }

    /// The statistics; `None` when no value was added.
    pub(crate) fn finish(self) -> Option<GeospatialStatistics> {
        if self.types.is_empty() && !self.unknown_types {
            return None;
        }
        let types = if self.unknown_types { Vec::new() } else { self.types.into_iter().collect() };
        Some(GeospatialStatistics { bbox: self.extent.bounding_box(), geospatial_types: Some(types) })
    }
}

impl Extent {
    fn bounding_box(&self) -> Option<BoundingBox> {
        if self.geography && self.edges {
            return None;
        }
        let ((xmin, xmax), (ymin, ymax)) = (self.x.bounds()?, self.y.bounds()?);
        let (z, m) = (self.z.bounds(), self.m.bounds());
        let (zmin, zmax) = (z.map(|z| z.0), z.map(|z| z.1));
        let (mmin, mmax) = (m.map(|m| m.0), m.map(|m| m.1));
        Some(BoundingBox { xmin, xmax, ymin, ymax, zmin, zmax, mmin, mmax })
    }

    /// Takes a geometry off the front of `rest` and returns its ISO type code.
    fn geometry(&mut self, rest: &mut &[u8], depth: usize) -> Option<i32> {
        let head = head(rest)?;
        if depth > DEPTH {
            return None;
        }
        match head.kind {
            1 => self.point(rest, &head)?,
            2 => self.line(rest, &head)?,
            // A polygon's rings, and a triangle's.
            3 | 17 => {
                for _ in 0..number(rest, &head)? {
                    self.line(rest, &head)?;
                }
            }
            // Collections, and surfaces of patches.
            4..=7 | 15 | 16 => {
                for _ in 0..number(rest, &head)? {
                    self.geometry(rest, depth.saturating_add(1))?;
                }
            }
            _ => return None,
        }
        let dimensions = if head.z { 1000 } else { 0_i32 }.saturating_add(if head.m { 2000 } else { 0 });
        i32::try_from(head.kind).ok()?.checked_add(dimensions)
    }

    fn line(&mut self, rest: &mut &[u8], head: &Head) -> Option<()> {
        let points = number(rest, head)?;
        self.edges |= points > 0;
        for _ in 0..points {
            self.point(rest, head)?;
        }
        Some(())
    }

    fn point(&mut self, rest: &mut &[u8], head: &Head) -> Option<()> {
        let x = coordinate(rest, head)?;
        let y = coordinate(rest, head)?;
        let within = |value: f64, most: f64| !self.geography || value.abs() <= most;
        if within(x, 180.0) && within(y, 90.0) {
            self.x.add(x);
            self.y.add(y);
        }
        if head.z {
            self.z.add(coordinate(rest, head)?);
        }
        if head.m {
            self.m.add(coordinate(rest, head)?);
        }
        Some(())
    }
}

/// The byte order and the type, in the numbering of ISO or in that of EWKB, which has flags in the upper bits.
fn head(rest: &mut &[u8]) -> Option<Head> {
    let (&order, after) = rest.split_first()?;
    *rest = after;
    let little_endian = match order {
        0 => false,
        1 => true,
        _ => return None,
    };
    let code = word(rest, little_endian)?;
    if code & 0x2000_0000 != 0 {
        // The reference system of EWKB, which the column's type gives as well.
        word(rest, little_endian)?;
    }
    let iso = code & 0x1fff_ffff;
    let dimensions = iso.checked_div(1000)?;
    Some(Head {
        little_endian,
        kind: iso.checked_rem(1000)?,
        z: code & 0x8000_0000 != 0 || matches!(dimensions, 1 | 3),
        m: code & 0x4000_0000 != 0 || matches!(dimensions, 2 | 3),
    })
}

fn word(rest: &mut &[u8], little_endian: bool) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(if little_endian { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
}

/// How many parts follow; every part takes bytes, so that a wrong number ends the value.
fn number(rest: &mut &[u8], head: &Head) -> Option<u32> {
    word(rest, head.little_endian)
}

fn coordinate(rest: &mut &[u8], head: &Head) -> Option<f64> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(if head.little_endian { f64::from_le_bytes(*bytes) } else { f64::from_be_bytes(*bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wkb(code: u32, body: &[&[u8]]) -> Vec<u8> {
        [&[1][..], &code.to_le_bytes(), &body.concat()].concat()
    }

    fn numbers(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn count(n: u32) -> [u8; 4] {
        n.to_le_bytes()
    }

    fn statistics(geography: bool, values: &[Vec<u8>]) -> Option<GeospatialStatistics> {
        let mut gathered = Geospatial::new(geography);
        values.iter().for_each(|value| gathered.add(value));
        gathered.finish()
    }

    #[test]
    fn boxes_hold_all_points_of_all_kinds() {
        let line = wkb(2, &[&count(2), &numbers(&[1.0, 2.0, 3.0, -4.0])]);
        let polygon_z = wkb(1003, &[&count(1), &count(2), &numbers(&[0.0, 0.0, 5.0, 1.0, 1.0, -6.0])]);
        let collection = wkb(7, &[&count(2), &wkb(1, &[&numbers(&[10.0, 0.5])]), &line]);
        let point_zm = wkb(3001, &[&numbers(&[f64::NAN, f64::NAN, f64::NAN, 7.0])]);
        let ewkb = wkb(0xa000_0001, &[&count(4326), &numbers(&[-1.0, 0.0, 8.0])]);
        let found = statistics(false, &[line, polygon_z, collection, point_zm, ewkb]).unwrap();
        let bbox = found.bbox.unwrap();
        assert_eq!((bbox.xmin, bbox.xmax, bbox.ymin, bbox.ymax), (-1.0, 10.0, -4.0, 2.0));
        assert_eq!((bbox.zmin, bbox.zmax, bbox.mmin, bbox.mmax), (Some(-6.0), Some(8.0), Some(7.0), Some(7.0)));
        assert_eq!(found.geospatial_types.unwrap(), [2, 7, 1001, 1003, 3001]);
        let big_endian = [&[0, 0, 0, 0, 1][..], &2_f64.to_be_bytes(), &3_f64.to_be_bytes()].concat();
        assert_eq!(statistics(false, &[big_endian]).unwrap().bbox.unwrap().ymax, 3.0);
    }

    #[test]
    fn what_is_no_geometry_makes_types_unknown() {
        let point = wkb(1, &[&numbers(&[1.0, 2.0])]);
        let broken = [vec![], vec![1, 1], wkb(1, &[]), wkb(99, &[]), [&point[..], &[0]].concat(), wkb(2, &[&count(u32::MAX)])];
        let mut deep = wkb(1, &[&numbers(&[9.0, 9.0])]);
        (0..100).for_each(|_| deep = wkb(7, &[&count(1), &deep]));
        for broken in broken.into_iter().chain([deep]) {
            let found = statistics(false, &[point.clone(), broken]).unwrap();
            assert_eq!(found.geospatial_types, Some(Vec::new()));
            assert_eq!(found.bbox.unwrap().xmax, 1.0);
        }
        assert_eq!(statistics(false, &[]), None);
        let empty = statistics(false, &[wkb(2, &[&count(0)])]).unwrap();
        assert_eq!((empty.bbox, empty.geospatial_types), (None, Some(vec![2])));
    }

    #[test]
    fn geographies_have_boxes_of_points_only() {
        let far = wkb(1, &[&numbers(&[200.0, 2.0])]);
        let near = wkb(1, &[&numbers(&[100.0, 2.0])]);
        assert_eq!(statistics(true, &[far, near.clone()]).unwrap().bbox.unwrap().xmax, 100.0);
        let line = wkb(2, &[&count(2), &numbers(&[1.0, 2.0, 3.0, 4.0])]);
        assert_eq!(statistics(true, &[near, line]).unwrap().bbox, None);
    }
}
