// The rooms of engine/src, floor by floor from the top: a file imports only from its own room and from floors below.
// lint-config.mjs makes lint rules of it.

/** Libraries that only some rooms may import. */
export const LIBRARIES = ['inversify', 'yaml', 'commander', '@?hono', 'prom-client', 'sonic-boom']

/** Each floor holds one room or more; rooms of one floor don't know each other. A room is a folder, or files of one. */
export const FLOORS = [
  [{ room: 'index.ts' }],
  [{ room: 'cli', files: ['main.ts', 'program.ts'], libraries: ['commander'] }],
  [{ room: 'cli/verbs', libraries: ['commander'] }],
  [{ room: 'cli', libraries: ['commander'] }],
  [{ room: 'cli/drawing' }],
  [{ room: 'compose.ts' }],
  [{ room: 'api', libraries: ['@?hono'] }, { room: 'doctor' }],
  [{ room: 'run' }],
  [{ room: 'run/change' }],
  [{ room: 'run/pipeline' }],
  [{ room: 'run/node', libraries: ['inversify'] }],
  [{ room: 'run/edge' }],
  [{ room: 'reload' }],
  [{ room: 'deliver' }],
  [{ room: 'config', libraries: ['yaml'] }],
  [{ room: 'config/section', libraries: ['yaml'] }],
  [{ room: 'config/template' }],
  [{ room: 'config/source', libraries: ['yaml'] }],
  [{ room: 'config/report', libraries: ['yaml'] }],
  [{ room: 'access', libraries: ['sonic-boom'] }],
  [{ room: 'listen' }],
  [{ room: 'state' }],
  [{ room: 'observe', libraries: ['prom-client'] }],
  [{ room: 'graph' }],
  [{ room: 'plugin' }],
  [{ room: 'errors.ts' }],
]

/** A regular expression for import paths by which a file of the one room reaches the other. */
export function pathsTo(target, importer) {
  const [inside, sub] = target.room.split('/')
  const [from, fromSub] = importer.room.split('/')
  if (inside.endsWith('.ts')) return `^(\\./|(\\.\\./)+)${inside.slice(0, -3)}\\.js$`
  if (inside !== from) return `^(\\./|(\\.\\./)+)${target.room}/`
  const up = fromSub === undefined ? '\\./' : '\\.\\./'
  if (sub !== undefined) return `^${up}${sub}/`
  const files = target.files === undefined ? '[^/]+' : `(${target.files.map((file) => file.slice(0, -3)).join('|')})`
  return `^${up}${files}\\.js$`
}

/** Globs of the files of a room. */
export function filesOf({ room, files }) {
  if (room.endsWith('.ts')) return [`engine/src/${room}`]
  return (files ?? ['*.ts']).map((file) => `engine/src/${room}/${file}`)
}
