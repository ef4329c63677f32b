/// Gives the bundles of one layer after another to devices.
///
/// A device takes a bundle of the size that is planned for it, so memory and the spread of slots do not
/// change. Among devices of one size the heaviest bundle goes to the device with the least load of all
/// layers so far: what one layer leaves uneven the next ones make up for.
struct LoadRotation {
  /// Load of each device over all layers so far.
  private(set) var total: [Double]

  init(devices: Int) {
    total = Array(repeating: 0, count: devices)
  }

  /// The bundle of each device.
  /// - Parameter planned: slots of each device, the same sizes as the bundles' in another order.
  /// - Complexity: O(devices log devices).
  mutating func assign(_ bundles: ReplicaBundles, planned: [Int]) -> [Int] {
    var bundleOfDevice = Array(repeating: 0, count: planned.count)
    for size in Set(planned).sorted() {
      let heaviestFirst = bundles.sizes.indices.filter { bundles.sizes[$0] == size }.sorted {
        bundles.loads[$0] != bundles.loads[$1] ? bundles.loads[$0] > bundles.loads[$1] : $0 < $1
      }
      let leastFirst = planned.indices.filter { planned[$0] == size }.sorted {
        total[$0] != total[$1] ? total[$0] < total[$1] : $0 < $1
      }
      precondition(heaviestFirst.count == leastFirst.count, "bundles have the planned sizes")
      for (bundle, device) in zip(heaviestFirst, leastFirst) { bundleOfDevice[device] = bundle }
    }
    for device in planned.indices { total[device] += bundles.loads[bundleOfDevice[device]] }
    return bundleOfDevice
  }
}
