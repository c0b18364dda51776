// SPDX-License-Identifier: Apache-2.0
@main struct Weftd { static func main() {} }
