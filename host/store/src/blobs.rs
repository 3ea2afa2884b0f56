//! Bytes by their digest: the files of a generation. Few, small, written once.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use bytes::Bytes;
use hilum_env::OpenMode;
use hilum_words::Digest;

use crate::StoreError;
use crate::folder::Folder;

/// The largest blob.
const BLOB_BYTES_MAX: u64 = 256 << 20;

/// Keeps bytes; durable when this returns.
pub(crate) fn put(folder: &Folder, content: &[u8]) -> Result<Digest, StoreError> {
    let digest = Digest::of(content);
    if find(folder, digest).is_ok() {
        return Ok(digest);
    }
    if BLOB_BYTES_MAX < content.len() as u64 {
        let what = format!("a blob has {} bytes; the bound is {BLOB_BYTES_MAX}", content.len());
        return Err(StoreError::TooLarge { what });
    }
    let write = || -> io::Result<()> {
        folder.disk.create_folder(&folder.blobs())?;
        folder.disk.sync_folder(&folder.root)?;
        folder.disk.replace(&folder.blobs().join(digest.hex()), content)?;
        folder.disk.sync_folder(&folder.blobs())
    };
    write().map_err(|fault| StoreError::BlobNotWritten(Arc::new(fault)))?;
    Ok(digest)
}

/// The bytes under a digest, checked against it.
pub(crate) fn find(folder: &Folder, digest: Digest) -> Result<Bytes, StoreError> {
    let path = folder.blobs().join(digest.hex());
    let read = || {
        let file = folder.disk.open(&path, OpenMode::Read)?;
        if BLOB_BYTES_MAX < file.len()? {
            return Err(ErrorKind::FileTooLarge.into());
        }
        drop(file);
        folder.disk.read(&path, BLOB_BYTES_MAX)
    };
    match read() {
        // What has changed is as good as not there: a new copy may be put in its place.
        Ok(content) if Digest::of(&content) == digest => Ok(content.into()),
        Ok(_) => Err(StoreError::NoBlob(digest)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::NoBlob(digest)),
        Err(error) => Err(StoreError::Read(Arc::new(error))),
    }
}
