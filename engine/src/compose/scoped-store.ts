// The files of a node in its scope: a rejection that the node does not handle is its own failure.
import type { MediaFolder } from '../plugin/media-folder.js'
import type { Store } from '../plugin/store.js'
import type { NodeOwner } from '../run/node/node-services.js'

type Calls = NodeOwner['calls']

export function scopedStore(store: Store, { calls }: NodeOwner): Store {
  return {
    folder: () => calls.owned(store.folder()),
    at: (path) => calls.owned(store.at(path)),
    read: (name) => calls.owned(store.read(name)),
    write: (name, bytes) => calls.owned(store.write(name, bytes)),
    media: (use, path) => calls.owned(store.media(use, path).then((folder) => scopedFolder(folder, calls))),
  }
}

function scopedFolder(folder: MediaFolder, calls: Calls): MediaFolder {
  return {
    path: folder.path,
    list: (name) => calls.owned(folder.list(name)),
    size: (name) => calls.owned(folder.size(name)),
    write: (name, media) => calls.owned(folder.write(name, media)),
    adopt: (name, from) => calls.owned(folder.adopt(name, from)),
    append: (name, bytes) => calls.owned(folder.append(name, bytes)),
    read: (name, from, length) => calls.owned(folder.read(name, from, length)),
    // It never rejects.
    media: (name, length) => folder.media(name, length),
    remove: (name) => calls.owned(folder.remove(name)),
  }
}
