// Which renditions the multivariant playlist offers. A player may take any of them first, and shaka-player starts at no
// playlist that begins with a gap.
import type { LongKind } from '../history/long-uris.js'
import type { Life } from './life.js'

/** Those whose playlists of this kind begin with media; all if none does. */
export function playableOf<T extends { readonly name: string }>(
  renditions: readonly T[],
  kind: LongKind,
  life: Life,
): readonly T[] {
  const playable = renditions.filter(({ name }) => life.beginsWithMedia(kind, name))
  return playable.length > 0 ? playable : renditions
}
