// A connection of the engine as the port of an RTMP connection: refusals are counted, and the last message is sent by the
// engine's rules.
import type { NodeContext, StreamConnection } from '@millrace/engine/plugin'
import { duplexPort } from '@millrace/rtmp/node'
import type { OpenPort } from '@millrace/rtmp/node'

/** @param refusal under which it is counted when the session ends it; undefined: not at all */
export function enginePort(
  connection: StreamConnection,
  guard: NodeContext['guard'],
  refusal: () => string | undefined,
): OpenPort {
  const open = duplexPort(connection.socket, (run) => guard(run))
  return (callbacks) => {
    const port = open(callbacks)
    return {
      write: (bytes) => port.write(bytes),
      end: () => {
        const reason = refusal()
        if (reason === undefined) connection.end('')
        else connection.refuse(reason, '')
      },
      destroy: () => port.destroy(),
      pause: () => port.pause(),
      resume: () => port.resume(),
    }
  }
}
