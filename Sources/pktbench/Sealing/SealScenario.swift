// SPDX-License-Identifier: Apache-2.0

import Sealing

/// `pktbench seal`: what sealing and opening cost a worker.
enum SealScenario: Scenario {
  static let description: ScenarioDescription = {
    var description = ScenarioDescription(
      name: "seal",
      abstract: "Sealing frames and opening packets, beside libsodium.",
      method: """
        METHOD
          1024 frames of --size lie in chunks of 4 KiB of frame memory and go to --peers peers in \
        turn, each with a key of its own. Ours seals --batch of them together, as a worker does: \
        it writes the sender's name and a record's header (sleeve), or all headers, outer ones \
        too, and the trailer (ESP), notes the packet, and has the batch sealed: grouped by key, \
        with numbers, nonces and tags. Opening is the way back: by key, with authentication and \
        replay window, and then the record or the trailer is looked at. Before the first pair \
        every frame has to come back as it was.

          libsodium is one call for each text with a key in hand and nothing else: \
        crypto_secretbox_easy, crypto_aead_aes256gcm_encrypt, \
        crypto_aead_chacha20poly1305_ietf_encrypt or what opens them. Its texts have the length of \
        ours (a frame with the headers above), lie at the same places in as many chunks, and have \
        as many keys.

          "seal-" and "open-" with secretbox, aes256gcm and chacha20poly1305 are sleeve's \
        datagrams, with esp VXLAN in ESP, which is beside AES-256-GCM. A suite that the processor \
        is not made for is left out.

          The thread is pinned to the last core it may run on. Each side makes passes over all \
        packets for --seconds, 128 at a time, of which the time in the middle counts; sides \
        alternate. For opening, all packets are sealed anew before each pass, outside of the \
        measured time. Every packet must be sealed, or open, each time.
        """,
      sizes: NumberSetting(range: 14...3000, fallback: [64, 1400], unit: "bytes"), entries: nil,
      competitors: [SodiumTexts.name], usualCompetitors: [SodiumTexts.name], pairs: 7,
      seconds: 0.03, needsRoot: false)
    description.batches = NumberSetting(
      range: 1...SealingBatch.capacity, fallback: [1, 32], unit: "packets")
    description.peers = NumberSetting(range: 1...64, fallback: [1, 4], unit: "peers")
    return description
  }()

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try PinnedThread.onLastCore(run, for: description.name) {
      var measures: [Measure] = []
      for form in SealedForm.allCases {
        guard form.suite.isAvailable else {
          run.report("seal: \(form.rawValue) is left out; the processor is not made for it")
          continue
        }
        for size in plan.sizes {
          for batch in plan.batches {
            for peers in plan.peers {
              let options = SealingStage.Options(
                form: form, size: size, batch: batch, peers: peers)
              measures += try SealingContest(options: options, plan: plan, run: run).measures()
            }
          }
        }
      }
      return measures
    }
  }
}
