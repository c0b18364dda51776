// SPDX-License-Identifier: Apache-2.0
@main struct Weft { static func main() {} }
