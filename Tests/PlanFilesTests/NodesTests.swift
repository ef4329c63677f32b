import PlanFiles
import Testing

@Suite("Nodes and hostfiles")
struct NodesTests {
  private func nodes(_ text: String) throws -> NodesDocument {
    try NodesDocument(bytes: Array(text.utf8), source: "nodes.json")
  }

  private func hosts(_ text: String) throws -> [String] {
    try HostFile(bytes: Array(text.utf8), source: "hosts").hosts
  }

  @Test("A node has one device unless it says otherwise; more fields and the format are welcome")
  func reading() throws {
    let document = try nodes(
      """
      {"format": "layerbudget.nodes/1", "nodes": [
        {"name": "a", "memory_bytes": 100}, {"name": "b", "memory_bytes": 7, "devices": 2, "rack": 3}
      ]}
      """)
    #expect(
      document.nodes == [
        NodesDocument.Node(name: "a", memoryBytes: 100),
        NodesDocument.Node(name: "b", memoryBytes: 7, devices: 2),
      ])
  }

  @Test(
    "What is wrong with nodes is said by node and value",
    arguments: [
      (#"{"nodes": []}"#, "no node"),
      (#"{"nodes": [{"name": "", "memory_bytes": 1}]}"#, "a name of its own"),
      (
        #"{"nodes": [{"name": "a", "memory_bytes": 1}, {"name": "a", "memory_bytes": 1}]}"#,
        "nodes[1]"
      ),
      (#"{"nodes": [{"name": "a", "memory_bytes": 0}]}"#, "memory_bytes 0"),
      (#"{"nodes": [{"name": "a", "memory_bytes": -5}]}"#, "memory_bytes -5"),
      (#"{"nodes": [{"name": "a", "memory_bytes": 1.5}]}"#, "nodes.json"),
      (#"{"nodes": [{"name": "a", "memory_bytes": 9, "devices": 0}]}"#, "0 devices"),
      (#"{"nodes": [{"name": "a", "memory_bytes": 9, "devices": 10}]}"#, "10 devices"),
      (#"{"nodes": [{"name": "a"}]}"#, "memory_bytes"),
      (#"{"format": "layerbudget.plan/1", "nodes": []}"#, "layerbudget.plan/1"),
      ("{", "not valid JSON"),
    ])
  func refusals(text: String, hint: String) {
    #expect {
      _ = try nodes(text)
    } throws: { error in
      "\(error)".contains(hint) && "\(error)".contains("nodes.json")
    }
  }

  @Test("Hosts come in the file's order, each once, whatever mpirun may start there")
  func hostfile() throws {
    let text =
      "# two\n\nnode2 slots=4 max_slots=8\n\tnode1\t# small\nme@node3 slots = 2\nnode2 slots=1\n"
    #expect(try hosts(text) == ["node2", "node1", "node3"])
    #expect(try hosts("node1\r\nnode2\r\n") == ["node1", "node2"])
    #expect(try hosts("fe80::1 slots=2") == ["fe80::1"])
  }

  @Test(
    "A line that is no host names its number",
    arguments: [
      ("node1\nnode 2\n", "line 2"), ("node1, node2\n", "line 1"), ("a slots=\n", "line 1"),
      ("rank 0=a slot=0\n", "line 1"), ("", "no host"), ("# only words\n", "no host"),
    ])
  func badLines(text: String, hint: String) {
    #expect {
      _ = try hosts(text)
    } throws: { error in
      "\(error)".contains(hint)
    }
  }
}
