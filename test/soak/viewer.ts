// A viewer of the soak: an HTTP reader that is checked for continuity, and whose packets are compared with those of the
// reference viewer of its channel as they arrive.
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import { copyName } from './config-model.js'
import { StreamComparison } from './compare-stream.js'
import type { ReferenceViewer } from './reference-viewer.js'

export class Viewer implements AsyncDisposable {
  readonly reader: HttpReader
  readonly url: string
  /** Id of its output in the configuration; changes with a rename. */
  output: string
  /** Of the published stream; undefined in an ordinary pipeline. */
  readonly key: string | undefined
  /** `address:port` of its local end, once connected. */
  client = ''
  /** The engine's id of its session; undefined until it has been seen. */
  session: string | undefined
  readonly #comparison: StreamComparison
  #reportedErrors = 0

  constructor(
    url: string,
    place: { readonly output: string; readonly key: string | undefined },
    reference: ReferenceViewer,
    headers: readonly string[],
  ) {
    this.url = url
    this.output = place.output
    this.key = place.key
    const comparison = new StreamComparison(reference.packets)
    this.#comparison = comparison
    this.reader = new HttpReader(url, { headers, onBody: (bytes) => comparison.push(bytes) })
    const { socket } = this.reader
    socket.once('connect', () => {
      this.client = `${socket.localAddress}:${socket.localPort}`
    })
  }

  /** The id of its output as the engine shows it. */
  get node(): string {
    const [pipeline = '', id = ''] = this.output.split('/')
    return `${copyName(pipeline, this.key)}/${id}`
  }

  report(): HttpReaderReport {
    return this.reader.report()
  }

  /** Packets found equal to the reference. */
  get compared(): number {
    return this.#comparison.compared
  }

  allowGap(): void {
    this.#comparison.allowGap()
  }

  /** What is wrong with what it received since the last call; undefined if nothing is. */
  fault(): string | undefined {
    const { ts } = this.report()
    const errors = (ts?.continuityErrors ?? 0) + (ts?.syncErrors ?? 0) + (ts?.duplicates ?? 0)
    const differs = this.#comparison.fault()
    if (differs !== undefined) return differs
    if (errors === this.#reportedErrors) return undefined
    this.#reportedErrors = errors
    const { continuityErrorsByPid, syncErrors, duplicates } = ts ?? {}
    return `continuity errors by PID ${JSON.stringify(continuityErrorsByPid)}, sync errors ${syncErrors}, duplicates ${duplicates}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }
}
