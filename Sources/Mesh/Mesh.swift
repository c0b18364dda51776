// SPDX-License-Identifier: Apache-2.0

// How peers find each other and keep one picture of who reaches whom, on Weave Net's wire.
//
// Everything is a value that turns inputs and a time into effects. `MeshMachine` is the whole;
// Messages/ has what travels (`FeatureMap`, `GossipEnvelope`, `TopologyUpdate`), Link/ the TCP
// session (`Link`), Topology/ the picture and the routes (`Topology`, `Routes`), Overlay/ the
// negotiation and liveness of overlays (`OverlaySwitch`, `SleeveLink`), Machine/ connections,
// gossip and the connection maker. `MeshReport` is what people see of it.
