internal import CMPIShim
public import Collectives

/// All ranks of an MPI job.
///
/// Lent by `MPISession.run` for the length of a session. A failing MPI call ends the whole run with a
/// text that names the call, the rank and the host; see the README for why it does not throw.
/// Counts beyond 32 bits are cut into several MPI calls.
public struct MPICollective: ~Copyable, Collective {
  public let rank: Int
  public let size: Int

  /// The name MPI gives the machine this rank runs on.
  public let hostName: String

  private let counts: LargeCounts
  let watch: Watch

  /// A sum is widened to 24 bytes per element, this many elements at a time.
  private static let largestSum: Int32 = 1 << 18

  static func world(_ watching: MPISession.Watching) -> MPICollective {
    var rank: Int32 = 0
    var size: Int32 = 0
    check(unsafe cmpi_rank(&rank))
    check(unsafe cmpi_size(&size))
    return MPICollective(
      rank: Int(rank), size: Int(size),
      hostName: unsafe textFromMPI { unsafe cmpi_host_name($0) } ?? "unknown host",
      counts: LargeCounts(largest: .max),
      watch: Watch(rank: Int(rank), size: Int(size), settings: watching))
  }

  /// The same ranks, with at most `largest` elements per MPI call: lets tests cut small arrays.
  ///
  /// Collective in effect: every rank must use the same limit, which is at least 1.
  package func limitingCounts(to largest: Int32) -> MPICollective {
    precondition(largest >= 1)
    return MPICollective(
      rank: rank, size: size, hostName: hostName, counts: LargeCounts(largest: largest),
      watch: watch)
  }

  public func sum(_ values: inout [Int128]) {
    var limbs: [UInt64] = []
    counts.capped(at: Self.largestSum).forEachPart(of: values.count) { offset, count in
      // 1. Widen, so that no order of additions overflows.
      limbs.removeAll(keepingCapacity: true)
      limbs.reserveCapacity(Int(count) * ExactSum.limbCount)
      for index in offset..<offset + Int(count) {
        ExactSum(values[index]).append(to: &limbs)
      }
      // 2. Add over the ranks.
      unsafe limbs.withUnsafeMutableBufferPointer { limbs in
        guard let start = limbs.baseAddress else { return }
        check(unsafe cmpi_start_sum(start, count))
        watch.wait(in: .sum, isNew: offset == 0)
      }
      // 3. Narrow; every rank has the same totals, so all pass or all trap.
      for index in 0..<Int(count) {
        let sum = ExactSum(limbs: limbs, at: index * ExactSum.limbCount)
        values[offset + index] = CollectiveContract.total(sum, element: offset + index, rank: rank)
      }
    }
  }

  public func maximum(_ values: inout [Double]) {
    CollectiveContract.canonicalise(&values, rank: rank)
    unsafe values.withUnsafeMutableBufferPointer { values in
      guard let start = values.baseAddress else { return }
      counts.forEachPart(of: values.count) { offset, count in
        check(unsafe cmpi_start_maximum(start + offset, count))
        watch.wait(in: .maximum, isNew: offset == 0)
      }
    }
  }

  /// Rank by rank straight into place: MPI_Gatherv would need the places of all ranks' bytes, in one
  /// buffer, to fit 32 bits.
  public func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "gather")
    var lengths = [Int64](repeating: 0, count: rank == root ? size : 0)
    unsafe withUnsafePointer(to: Int64(bytes.count)) { count in
      unsafe lengths.withUnsafeMutableBufferPointer { lengths in
        check(unsafe cmpi_start_gather_count(count, lengths.baseAddress, Int32(root)))
        watch.wait(in: .gather, isNew: true)
      }
    }
    guard rank == root else {
      send(bytes, to: root)
      return []
    }
    var gathered: [[UInt8]] = []
    gathered.reserveCapacity(size)
    for source in 0..<size {
      gathered.append(source == root ? bytes : receive(count: Int(lengths[source]), from: source))
    }
    return gathered
  }

  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "broadcast")
    var length = Int64(bytes.count)
    unsafe withUnsafeMutablePointer(to: &length) { length in
      check(unsafe cmpi_start_broadcast_count(length, Int32(root)))
      watch.wait(in: .broadcast, isNew: true)
    }
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(length))
    unsafe result.withUnsafeMutableBufferPointer { result in
      guard let start = result.baseAddress else { return }
      counts.forEachPart(of: result.count) { offset, count in
        check(unsafe cmpi_start_broadcast_bytes(start + offset, count, Int32(root)))
        watch.wait(in: .broadcast, isNew: false)
      }
    }
    return result
  }

  public func barrier() {
    check(unsafe cmpi_start_barrier())
    watch.wait(in: .barrier, isNew: true)
  }

  /// Tells the two ranks that watch over the run; see `Watch`.
  public func report(_ progress: Progress) { watch.report(progress) }

  /// Ends every rank at once; `code` becomes the exit code of mpirun.
  ///
  /// Not collective: for a rank that cannot reach an agreement, after it has said why. Nothing is
  /// flushed and no `defer` runs, here or elsewhere.
  public func abort(code: Int32) -> Never {
    cmpi_abort(code)
  }

  private func send(_ bytes: [UInt8], to destination: Int) {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      counts.forEachPart(of: bytes.count) { offset, count in
        check(unsafe cmpi_start_send(start + offset, count, Int32(destination)))
        watch.wait(in: .gather, isNew: false)
      }
    }
  }

  private func receive(count: Int, from source: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      counts.forEachPart(of: bytes.count) { offset, count in
        var received: Int32 = 0
        check(unsafe cmpi_start_receive(start + offset, count, Int32(source)))
        watch.wait(in: .gather, isNew: false)
        check(unsafe cmpi_received_count(&received))
        guard received == count else {
          endRun(
            "rank \(rank) on \(hostName): gather: \(received) of \(count) bytes came from rank \(source)"
          )
        }
      }
    }
    return bytes
  }
}

/// MPI calls belong to the thread that started MPI.
@available(*, unavailable)
extension MPICollective: Sendable {}
