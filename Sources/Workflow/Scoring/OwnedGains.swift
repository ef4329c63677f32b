internal import Collectives
internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// What one rank has computed of the units that it owns.
struct OwnedGains {
  private(set) var gains: [UnitGain] = []
  /// Combined checksum of what was read.
  private(set) var checksum: UInt64 = 0
  /// What each further rank of a unit is worth; empty unless the spectrum was asked for.
  private(set) var decreases: [[Double]] = []
  /// Units that a journal held, and those of which it held other contents.
  private(set) var resumed = 0
  private(set) var changed = 0
  private(set) var isStopped = false

  /// Computes the units one after another, one module in memory at a time, but for those that the
  /// journal holds; stops between two of them where that is asked for. Reports progress; not
  /// collective.
  /// - Parameter work: predicted operations of each of the owned units.
  init(
    _ owned: [Int], of units: [ModuleUnit], work: [Double], _ statistics: Statistics,
    _ options: GainOptions, _ journal: inout Journal<GainRecord>,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    var steps = ProgressSteps(.scoring, work: work)
    do throws(Failure) {
      var computer = GainComputer(statistics: statistics, options: options)
      var ahead = ModulesAhead(owned.map { units[$0] }, statistics, options)
      for index in owned {
        if journal.shouldStop() {
          isStopped = true
          break
        }
        world.report(steps.begin())
        if let (record, checksum) = try earlier(
          units[index], statistics, options, journal, &ahead)
        {
          resumed += 1
          note(record, index, checksum)
          continue
        }
        let (record, checksum) = try Self.computed(units[index], &computer, options, &ahead)
        try journal.append(record)
        note(record, index, checksum)
      }
      if !isStopped { world.report(steps.end()) }
      try journal.close(stopping: isStopped)
    } catch {
      // What is done stays done; this rank's own failure is the one to tell.
      journal.stopOthers()
      try? journal.close(stopping: false)
      throw error
    }
  }

  private mutating func note(_ record: GainRecord, _ index: Int, _ checksum: UInt64) {
    gains.append(UnitGain(index: index, unit: record.unit))
    self.checksum &+= checksum
    if let own = record.decreases { decreases.append(own) }
  }

  /// What the journal holds of a unit, if its statistics, read again, are still the same.
  private mutating func earlier(
    _ unit: ModuleUnit, _ statistics: Statistics, _ options: GainOptions,
    _ journal: borrowing Journal<GainRecord>, _ ahead: inout ModulesAhead
  ) throws(Failure) -> (GainRecord, checksum: UInt64)? {
    guard let record = journal.record(of: unit.name),
      record.unit.modules == unit.modules.map(\.name)
    else { return nil }
    var contents = UnitContents()
    for module in unit.modules {
      ahead.beginNext(after: module)
      do throws(CurvatureError) {
        contents.add(module, checksum: try statistics.checksum(of: module, under: options))
      } catch {
        throw Failure(error)
      }
    }
    guard record.contents == contents.text else {
      changed += 1
      return nil
    }
    return (record, contents.checksum)
  }

  private static func computed(
    _ unit: ModuleUnit, _ computer: inout GainComputer, _ options: GainOptions,
    _ ahead: inout ModulesAhead
  ) throws(Failure) -> (GainRecord, checksum: UInt64) {
    var details: [NaturalName: ModuleGain] = [:]
    for module in GainComputer.computingOrder(unit.modules) {
      ahead.beginNext(after: module)
      do throws(CurvatureError) {
        details[NaturalName(module.name)] = try computer.gain(of: module)
      } catch {
        throw Failure(error)
      }
    }
    var contents = UnitContents()
    var inOrder: [ModuleGain] = []
    for module in unit.modules {
      guard let gain = details[NaturalName(module.name)] else { continue }
      inOrder.append(gain)
      contents.add(module, checksum: gain.checksum)
    }
    let record = GainRecord(
      unit: .init(named: unit.name, inOrder), contents: contents.text,
      decreases: options.wantsSpectrum ? RankDecreases.of(inOrder) : nil)
    return (record, contents.checksum)
  }
}
