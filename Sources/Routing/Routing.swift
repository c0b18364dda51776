// SPDX-License-Identifier: Apache-2.0

// Decides where frames go, and keeps what the workers see in step with the decision.
//
// The control plane tells the `ForwardingModel` what exists (ports of this host, endpoints of the
// overlay, configured or peers of the mesh, and the `EndpointPath` to each) and hands it the hints
// that workers send about stations. The model keeps a `StationBook` of where every station is and
// when it was last seen, writes each change into the pending snapshot, and publishes all of them
// at once when asked to `commit()`. Nothing here looks at a clock or waits: the time is an
// argument, and what does not fit is refused and counted, or stays pending until a later commit
// finds room.
