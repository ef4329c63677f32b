internal import Synchronization
internal import TensorFiles

/// Checksums of stored tensors, taken while their values are read, so that no byte is read for its
/// checksum alone.
///
/// Shared by all copies of the statistics that it was made for; of one computation at a time.
final class ReadContents: Sendable {
  struct Place: Hashable, Sendable {
    let collection: Int
    let name: NaturalName
  }

  private let hashes = Mutex<[Place: PassingHash]>([:])

  /// What is known of a tensor so far, to be continued by `keep`.
  func hash(of place: Place) -> PassingHash { hashes.withLock { $0[place] } ?? PassingHash() }

  func keep(_ hash: PassingHash, of place: Place) {
    hashes.withLock { $0[place] = hash }
  }
}
