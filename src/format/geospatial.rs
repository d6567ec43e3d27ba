//! Statistics of geometries and geographies.

use crate::thrift::thrift_struct;

thrift_struct! {
    /// The least and greatest coordinate on each axis (`BoundingBox`); `xmin > xmax` is a box across the antimeridian.
    pub struct BoundingBox {
        /// Least x (longitude).
        1: required xmin: f64,
        /// Greatest x (longitude).
        2: required xmax: f64,
        /// Least y (latitude).
        3: required ymin: f64,
        /// Greatest y (latitude).
        4: required ymax: f64,
        /// Least z.
        5: optional zmin: f64,
        /// Greatest z.
        6: optional zmax: f64,
        /// Least m.
        7: optional mmin: f64,
        /// Greatest m.
        8: optional mmax: f64,
    }
}

thrift_struct! {
    /// Statistics of a column of logical type GEOMETRY or GEOGRAPHY (`GeospatialStatistics`).
    pub struct GeospatialStatistics {
        /// The box around all values.
        1: optional bbox: BoundingBox,
        /// The WKB type codes of all values; empty when they are not known.
        2: optional geospatial_types: Vec<i32>,
    }
}
