// The join of an entry, which calls code of the output that pushed it: what that throws fails its node, and the viewer
// goes without.
import type { Join } from '../plugin/live-route.js'

const NOTHING: Uint8Array = new Uint8Array(0)

export function guardJoin(join: Join, enter: (run: () => void) => void): Join {
  const guard = (make: () => unknown) => (): Uint8Array => {
    let bytes = NOTHING
    enter(() => {
      const made = make()
      if (!(made instanceof Uint8Array)) throw new TypeError('the preamble or bridge of a join is no bytes')
      bytes = made
    })
    return bytes
  }
  const { keyframe, heldBytes } = join
  return { keyframe, heldBytes, preamble: guard(() => join.preamble()), bridge: guard(() => join.bridge()) }
}
