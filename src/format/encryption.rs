//! Modular encryption: which algorithm, which keys.

use std::borrow::Cow;

use crate::thrift::{thrift_struct, thrift_union};

thrift_struct! {
    /// A column encrypted with the footer's key (`EncryptionWithFooterKey`).
    pub struct EncryptionWithFooterKey {}
}

thrift_struct! {
    /// A column encrypted with its own key (`EncryptionWithColumnKey`).
    pub struct EncryptionWithColumnKey<'a> {
        /// The names from below the schema's root to the leaf.
        1: required path_in_schema: Vec<Cow<'a, str>>,
        /// What a key management system needs to find the key.
        2: optional key_metadata: Cow<'a, [u8]>,
    }
}

thrift_union! {
    /// With which key a column is encrypted (`ColumnCryptoMetaData`).
    pub enum ColumnCryptoMetaData<'a> {
        /// With the footer's.
        1: EncryptionWithFooterKey,
        /// With its own.
        2: EncryptionWithColumnKey(EncryptionWithColumnKey<'a>),
    }
}

thrift_struct! {
    /// AES-GCM for all modules (`AesGcmV1`).
    pub struct AesGcmV1<'a> {
        /// The prefix of the additional authenticated data.
        1: optional aad_prefix: Cow<'a, [u8]>,
        /// The file's unique identifier, part of the additional authenticated data.
        2: optional aad_file_unique: Cow<'a, [u8]>,
        /// Whether there is a prefix that the reader has to supply.
        3: optional supply_aad_prefix: bool,
    }
}

thrift_struct! {
    /// AES-GCM for all modules but pages, which have AES-CTR (`AesGcmCtrV1`).
    pub struct AesGcmCtrV1<'a> {
        /// The prefix of the additional authenticated data.
        1: optional aad_prefix: Cow<'a, [u8]>,
        /// The file's unique identifier, part of the additional authenticated data.
        2: optional aad_file_unique: Cow<'a, [u8]>,
        /// Whether there is a prefix that the reader has to supply.
        3: optional supply_aad_prefix: bool,
    }
}

thrift_union! {
    /// The algorithm that a file is encrypted with (`EncryptionAlgorithm`).
    pub enum EncryptionAlgorithm<'a> {
        /// AES-GCM for everything.
        1: AesGcmV1(AesGcmV1<'a>),
        /// AES-GCM, and AES-CTR for pages.
        2: AesGcmCtrV1(AesGcmCtrV1<'a>),
    }
}

thrift_struct! {
    /// What stands in front of an encrypted footer (`FileCryptoMetaData`).
    pub struct FileCryptoMetaData<'a> {
        /// The file's algorithm.
        1: required encryption_algorithm: EncryptionAlgorithm<'a>,
        /// What a key management system needs to find the footer's key.
        2: optional key_metadata: Cow<'a, [u8]>,
    }
}
