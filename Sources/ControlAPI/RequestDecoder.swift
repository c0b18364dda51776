// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import FoundationEssentials

/// Turns a request's body into a value, or into a refusal that names the field and what is
/// accepted.
enum RequestDecoder {
  /// Bytes a body may have; the largest sensible request is a tenth of that.
  static let bodyLengthMax = 64 * 1024

  /// Decodes strictly: unknown fields, wrong types and trailing text are refused.
  static func decode<Request: StrictRequest>(
    _ type: Request.Type, from body: Data
  ) throws(ServiceError) -> Request {
    do {
      return try JSONForm.decode(type, from: body)
    } catch let error as RequestError {
      throw ServiceError(error)
    } catch let error as DecodingError {
      throw ServiceError(mistake(error, in: type))
    } catch {
      throw ServiceError(notAnObject(type))
    }
  }

  private static func mistake<Request: StrictRequest>(
    _ error: DecodingError, in type: Request.Type
  ) -> RequestError {
    switch error {
    case .keyNotFound(let key, _):
      let name = key.stringValue
      return RequestError(
        "the field '\(name)' is missing", field: name, accepted: type.accepted(name))
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      guard let name = context.codingPath.first?.stringValue else { return notAnObject(type) }
      let field = fieldName(context.codingPath)
      return RequestError(
        "the value of '\(field)' is not usable", field: field, accepted: type.accepted(name))
    @unknown default:
      return notAnObject(type)
    }
  }

  private static func notAnObject<Request: StrictRequest>(_ type: Request.Type) -> RequestError {
    RequestError(
      "the body is not a JSON object", accepted: "a JSON object with the fields \(type.fieldNames)")
  }

  /// `addresses[1]` for a path of a key and an index.
  private static func fieldName(_ path: [any CodingKey]) -> String {
    path.reduce(into: "") { name, key in
      if let index = key.intValue {
        name += "[\(index)]"
      } else {
        name += name.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
  }
}
