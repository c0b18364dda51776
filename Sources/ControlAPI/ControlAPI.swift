// SPDX-License-Identifier: Apache-2.0

// How programs talk to weftd: HTTP with JSON on a unix socket, and for Weave's users its text.
//
// `ControlService` is what the daemon can do, as a protocol that the node implements and tests
// fake; `ServiceError` is how it refuses. `ControlServer` puts a service on a socket: `SocketFile`
// takes care of the file, `ControlRoutes` of paths and methods, `RequestDecoder` of bodies.
// `ControlClient` is the other end, for the command-line tools; `ControlClientError` tells a daemon
// that is not there from one that refuses. `JSONForm` is the one encoder and decoder of both.
// `TextReport` renders reports for terminals, with `TextTable` for the columns; `WeaveText` renders
// them as Weave does. `FormParameters` reads what Weave's programs send.
//
// | method and path        | body            | answer              |
// |------------------------|-----------------|---------------------|
// | GET /status/macs       |                 | `[MACReport]`       |
// | GET /attachments       |                 | `[AttachmentReport]`|
// | POST /attachments      | `AttachRequest` | `AttachmentReport`  |
// | DELETE /attachments    | `DetachRequest` | `[AttachmentReport]`|
// | POST /trace            | `TraceRequest`  | `TraceReport`       |
//
// These paths are Weave's. They answer with JSON if the request says `Accept: application/json`,
// as Weave's `/report` does, and else with Weave's text:
//
// | method and path         | parameters         | JSON                 | text                    |
// |-------------------------|--------------------|----------------------|-------------------------|
// | GET /status             |                    | `StatusReport`       | Weave's overview        |
// | GET /status/connections |                    | `[ConnectionReport]` | a line per connection   |
// | GET /status/peers       |                    | `[MeshPeerReport]`   | lines per peer          |
// | GET /status/targets     |                    | `[String]`           | a line per target       |
// | GET /report             | format, for text   | Weave's report       | refused: no templates   |
// | POST /connect           | peer..., replace   | nothing              | nothing                 |
// | POST /forget            | peer...            | nothing              | nothing                 |
//
// `GET /metrics` is Weave's too: `MetricsText` fills it from the reports, and `PrometheusText`
// knows its form.
//
// Without a mesh, the text of `/status` is that of `weft status`, and the other paths refuse.
// Parameters stand in the query or in a body as forms have it.
//
// Every other answer is an `ErrorReport`, or on Weave's paths, where no JSON is asked for, its
// sentence. The socket's mode is 0600: whoever may open it may do everything, and nobody else gets
// as far as a request.
