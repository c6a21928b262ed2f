// Segments that are on a disk, by what is known of them.
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'
import { segmentUri } from '../playlist/render-playlist.js'
import type { Entry } from '../playlist/segment-list.js'
import { periodOf } from './period.js'
import type { LifeFrom } from './restored-list.js'
import type { SegmentRecord } from './segment-record.js'
import type { SegmentTable } from './segment-table.js'

const NAME = /-(\d{1,16}(?:_\d{1,16})?)\.ts$/

/** The file with this URI. `lives`: oldest first. */
export function storedFile(
  uri: string,
  { table, lives, store }: { readonly table: SegmentTable; readonly lives: readonly LifeFrom[]; store: MediaFolder },
): KeptMedia | undefined {
  const name = NAME.exec(uri)?.[1]
  const index = name === undefined ? -1 : table.find(name)
  if (index < 0) return undefined
  const sequence = table.sequenceAt(index)
  const life = lives.findLast(({ from }) => from <= sequence)?.id ?? ''
  for (const rendition of table.renditions) {
    const bytes = table.bytesAt(index, rendition)
    if (bytes === undefined || segmentUri(rendition, life, name!) !== uri) continue
    return store.media(`${periodOf(table.dateMsAt(index))}/${uri}`, bytes)
  }
  return undefined
}

/** As the playlists of the window have it. */
export function storedEntry(
  { kind: _, life, target: _target, total: _total, discontinuity: _number, media, ...entry }: SegmentRecord,
  store: MediaFolder,
): Entry {
  const period = periodOf(entry.dateMs)
  const files = Object.entries(media).map(([rendition, { bytes, ...file }]) => {
    const name = segmentUri(rendition, life, entry.name)
    return [rendition, { ...file, kept: store.media(`${period}/${name}`, bytes) }] as const
  })
  return { ...entry, media: new Map(files) } as Entry
}
