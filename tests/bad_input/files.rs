//! Files that are no IDX files, or not whole.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use posterior::nn::data::{DataSet, read_images, read_labels, read_pixels};

use crate::table::Table;

/// A folder below that for temporary files, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("posterior_bad_input_{}_{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(bytes);
    file
}

/// A gzip file of one stored block, as the format demands it: header, block, checksum, length.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let n = bytes.len() as u16;
    file.extend(n.to_le_bytes());
    file.extend((!n).to_le_bytes());
    file.write_all(bytes).unwrap();
    file.extend(crc(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    !bytes
        .iter()
        .fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[rustfmt::skip]
#[test]
fn files_name_themselves_and_the_byte() {
    let mut t = Table::default();
    let folder = Folder::new("files");
    let whole = idx(&[1, 1, 2], &[7, 9]);
    assert_eq!(read_pixels(folder.file("whole", &whole)).unwrap()[[0, 0, 1]], 9);
    assert_eq!(read_pixels(folder.file("packed", &gzip(&whole))).unwrap()[[0, 0, 1]], 9);
    let at = |name: &str, bytes: &[u8]| folder.file(name, bytes);
    let labels = |path: PathBuf| read_labels(path);
    let pixels = |path: PathBuf| read_pixels(path);

    t.call("a file that is not there", &["no/such/file"], || read_labels("no/such/file"));
    t.call("an empty file", &["empty_file", "byte 0", "expected 4 more bytes, found 0"], || pixels(at("empty_file", &[])));
    t.call("a header cut short", &["cut_header", "byte 4", "12 more bytes, found 5"], || pixels(at("cut_header", &whole[..9])));
    t.call("data cut short", &["cut_data", "byte 16", "2 more bytes, found 1"], || pixels(at("cut_data", &whole[..17])));
    t.call("data and more", &["long", "expected the end", "1 more"], || pixels(at("long", &[&whole[..], &[1]].concat())));
    t.call("another magic number", &["png", "magic", "0x00000803", "0x89504e47"], || pixels(at("png", b"\x89PNG....")));
    t.call("floats in place of bytes", &["floats", "magic", "0x00000d03"], || pixels(at("floats", &[0, 0, 13, 3, 0, 0, 0, 1])));
    t.call("labels in place of images", &["swapped", "3 dimensions", "found 1"], || pixels(at("swapped", &idx(&[2], &[1, 2]))));
    t.call("images in place of labels", &["labels", "1 dimensions", "found 3"], || labels(at("labels", &whole)));
    t.call("no images in the file", &["none", "empty", "[0, 28, 28]"], || pixels(at("none", &idx(&[0, 28, 28], &[]))));
    t.call("images of no width", &["thin", "empty", "[1, 28, 0]"], || read_images(at("thin", &idx(&[1, 28, 0], &[]))));
    t.call("more bytes claimed than there are", &["claim", "expected 18446744065119617025", "found 4"], || pixels(at("claim", &idx(&[u32::MAX, u32::MAX, 1], &[0; 4]))));
    t.call("more bytes claimed than there are, packed", &["claimed.gz", "found 4"], || pixels(at("claimed.gz", &gzip(&idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 4])))));
    let packed = gzip(&whole);
    t.call("a packed file cut in its header", &["cut.gz"], || pixels(at("cut.gz", &packed[..6])));
    t.call("a packed file cut in its data", &["cut2.gz", "byte"], || pixels(at("cut2.gz", &packed[..packed.len() - 9])));
    t.call("a packed file cut in its checksum", &["cut3.gz", "gzip"], || pixels(at("cut3.gz", &packed[..packed.len() - 3])));
    let mut wrong = packed.clone();
    *wrong.last_mut().unwrap() ^= 1;
    t.call("a packed file of another length", &["length.gz", "gzip"], || pixels(at("length.gz", &wrong)));
    let mut wrong = packed.clone();
    let n = wrong.len();
    wrong[n - 8] ^= 1;
    t.call("a packed file with another checksum", &["sum.gz", "gzip"], || pixels(at("sum.gz", &wrong)));
    t.call("a packed file and more", &["junk.gz", "gzip"], || pixels(at("junk.gz", &[&packed[..], b"junk"].concat())));
    t.call("packed labels in place of images", &["3 dimensions", "found 1"], || pixels(at("l.gz", &gzip(&idx(&[2], &[1, 2])))));
    t.finish();
}

#[test]
fn folders_name_what_they_lack() {
    let mut t = Table::default();
    let folder = Folder::new("folders");
    let dir: &Path = &folder.0;
    t.call(
        "a folder in place of a file",
        &["expected a file, found a folder"],
        || read_pixels(dir),
    );
    t.call(
        "a folder without the files",
        &["train-images-idx3-ubyte", ".gz"],
        || DataSet::mnist_dir(dir),
    );
    t.call("a folder that is not there", &["no/such/folder"], || {
        DataSet::idx_dir("no/such/folder", "train", 10)
    });
    folder.file("t-images-idx3-ubyte", &idx(&[2, 1, 2], &[1, 2, 3, 4]));
    folder.file("t-labels-idx1-ubyte", &idx(&[1], &[0]));
    t.call(
        "fewer labels than images in the files",
        &["2 images but 1 labels"],
        || DataSet::idx_dir(dir, "t", 10),
    );
    folder.file("t-labels-idx1-ubyte", &idx(&[2], &[0, 10]));
    t.call(
        "a label in the file that is no class",
        &["t-labels", "row 1", "is 10", "below 10"],
        || DataSet::idx_dir(dir, "t", 10),
    );
    folder.file("t-labels-idx1-ubyte", &[]);
    t.call("a file of labels that is empty", &["t-labels", "byte 0"], || {
        DataSet::idx_dir(dir, "t", 10)
    });
    t.finish();
}
