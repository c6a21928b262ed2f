// Real sockets of a node in tests. Give them to the node as SOCKETS; they are closed when the test disposes them.
import { NodeSockets } from '../listen/node-sockets.js'
import { SocketCounts } from '../listen/socket-counts.js'
import type { Clock } from '../plugin/tokens.js'

export class TestSockets extends NodeSockets implements Disposable {
  /** Errors that callbacks of the node have thrown. */
  readonly failures: unknown[]

  constructor(clock: Pick<Clock, 'nowMs' | 'after'>) {
    const failures: unknown[] = []
    super({
      clock,
      counts: new SocketCounts({ acquire: () => true, release: () => undefined }),
      enter: (run) => {
        try {
          run()
        } catch (error) {
          failures.push(error)
        }
      },
    })
    this.failures = failures
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
