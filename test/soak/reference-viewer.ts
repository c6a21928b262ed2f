// What a pipeline's input delivered, as received from an output that no edit touches: the reference for all other
// viewers of the pipeline.
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import type { ExcludedPids } from './packet-splitter.js'
import { ReferencePackets } from './reference-packets.js'

export class ReferenceViewer implements AsyncDisposable {
  readonly reader: HttpReader
  /** The pipeline, or its copy for a published stream. */
  readonly channel: string
  readonly packets: ReferencePackets

  constructor(url: string, channel: string, excluded: ExcludedPids) {
    this.channel = channel
    const packets = new ReferencePackets(excluded)
    this.packets = packets
    this.reader = new HttpReader(url, { onBody: (bytes) => packets.push(bytes) })
  }

  report(): HttpReaderReport {
    return this.reader.report()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }
}
