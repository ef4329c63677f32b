import PlanFiles
import Testing

@testable import Workflow

@Suite("Hosts of a hostfile")
struct NodeListTests {
  private func memory(
    _ hosts: [String], _ running: [(host: String, bytes: Int)]
  ) throws -> [Int] {
    try NodeList.nodes(of: hosts, running: running, source: "hosts").map(\.memoryBytes)
  }

  @Test("Hosts are found by name, with or without their domain; order is the file's")
  func matching() throws {
    let running = [(host: "n1.cluster.org", bytes: 5), (host: "n2", bytes: 7)]
    #expect(try memory(["n2.cluster.org", "n1"], running) == [7, 5])
    #expect(try memory(["n1.cluster.org"], running) == [5])
    #expect(try memory(["localhost"], [(host: "anything", bytes: 3)]) == [3])
  }

  @Test(
    "A host without a rank is refused, and so is what only looks alike",
    arguments: ["n3", "n1.other.org", "localhost", "10.0.0.1"])
  func missing(host: String) {
    #expect {
      _ = try memory([host], [(host: "n1.cluster.org", bytes: 5), (host: "10", bytes: 7)])
    } throws: { error in
      (error as? Failure)?.code == .badData && "\(error)".contains("n1.cluster.org")
    }
  }
}
