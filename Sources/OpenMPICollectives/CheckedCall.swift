internal import CMPIShim
internal import Collectives
internal import Glibc

/// Ends the whole run unless an MPI call succeeded.
///
/// After a failed call nobody knows what the other ranks got, so there is no way to agree on how to
/// go on. The text has all there is: rank, host, the call, MPI's words and MPI's code.
@safe func check(_ outcome: cmpi_outcome) {
  guard unsafe outcome.code != cmpi_success else { return }
  let call = unsafe String(cString: outcome.call)
  let code = unsafe outcome.code
  endRun("\(whereWeAre()): \(call) failed: \(errorText(code)) (MPI code \(code))")
}

/// Prints `explanation` and ends every rank with `code`.
func endRun(
  _ explanation: String, code: Int32 = MPISession.communicationFailureCode
) -> Never {
  // One write, so that the lines of several ranks do not mix.
  let line = Array((explanation + "\n").utf8)
  unsafe line.withUnsafeBytes { line in
    _ = unsafe write(STDERR_FILENO, line.baseAddress, line.count)
  }
  cmpi_abort(code)
}

/// Reads a text that MPI writes into a buffer; nil if it cannot.
func textFromMPI(_ fill: (UnsafeMutablePointer<CChar>) -> cmpi_outcome) -> String? {
  var succeeded = false
  let bytes = unsafe [CChar](unsafeUninitializedCapacity: Int(cmpi_text_capacity)) {
    buffer, count in
    unsafe buffer.initialize(repeating: 0)
    guard let start = buffer.baseAddress else { return }
    succeeded = unsafe fill(start).code == cmpi_success
    count = buffer.count
  }
  guard succeeded else { return nil }
  return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// `rank 3 on node07`, or less where MPI does not answer: it may be MPI itself that is broken.
private func whereWeAre() -> String {
  guard isRunning() else { return "before MPI is up" }
  var rank: Int32 = 0
  let rankIsKnown = unsafe cmpi_rank(&rank).code == cmpi_success
  let host = unsafe textFromMPI { unsafe cmpi_host_name($0) }
  return (rankIsKnown ? "rank \(rank)" : "a rank without number") + " on \(host ?? "unknown host")"
}

private func errorText(_ code: Int32) -> String {
  guard isRunning() else { return "no text" }
  return unsafe textFromMPI { unsafe cmpi_error_text(code, $0) } ?? "no text"
}

private func isRunning() -> Bool {
  var initialized: Int32 = 0
  var finalized: Int32 = 0
  let known =
    unsafe cmpi_is_initialized(&initialized).code == cmpi_success
    && cmpi_is_finalized(&finalized).code == cmpi_success
  return known && initialized != 0 && finalized == 0
}
