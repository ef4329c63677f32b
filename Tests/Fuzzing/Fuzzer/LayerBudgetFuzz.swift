internal import CLibFuzzer
internal import Foundation
internal import FuzzTargets

/// Feeds a reader of hostile files with bytes that libFuzzer makes, until it traps, hangs, or reads where it
/// must not. `FUZZ_TARGET` names the reader; all arguments are libFuzzer's, which starts itself again
/// with them for `-fork`.
@main
struct LayerBudgetFuzz {
  private static let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
      fatalError("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
  }()

  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
      unsafe CommandLine.unsafeArgv
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
      LayerBudgetFuzz.target.read(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
      return 0
    }
  }
}
