// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which file a path leads to, however it is written: links and detours are followed.
enum FilePlace: Hashable {
  /// A file that is there, whatever its names.
  case existing(device: UInt64, inode: UInt64)
  /// A file that is not there yet, by its path.
  case absent(String)

  /// Looks where `path` leads.
  init(_ path: String) {
    let target = URL(filePath: path).resolvingSymlinksInPath()
    let attributes = try? FileManager.default.attributesOfItem(atPath: target.path)
    if let device = (attributes?[.systemNumber] as? NSNumber)?.uint64Value,
      let inode = (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value
    {
      self = .existing(device: device, inode: inode)
    } else {
      self = .absent(target.standardizedFileURL.path)
    }
  }
}
