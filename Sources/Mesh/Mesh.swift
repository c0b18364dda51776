// SPDX-License-Identifier: Apache-2.0

// How peers find each other and keep one picture of who reaches whom, on Weave Net's wire.
//
// Everything is a value that turns inputs and a time into effects. `MeshMachine` is the whole;
// Messages/ has what travels (`FeatureMap`, `GossipEnvelope`, `TopologyUpdate`), Link/ the TCP
// session (`Link`), Passwords/ the passwords while they change (`PasswordRing`, and for connections
// that live on `Reauthentication`), Keys/ keys of frames (`SealingTerms` says how both ends seal,
// `KeyExchange` chooses keys by means of a `KeyOffer`), Topology/ the picture and the routes
// (`Topology`, `Routes`), Overlay/ the overlays of a connection (`OverlaySwitch`, which has a
// `FastdpLink` and a `SleeveLink`, whose `OverlayPulse` tells what works and `PathSearch` how much
// fits), Machine/ connections, gossip and the connection maker. `MeshForwarding` is what the data
// plane sees of it, `MeshReport` what people see.
