// The layers of engine/src, from the top: a file imports only from its own folder and from the layers below.
// lint-config.mjs turns this table into lint rules.

/** Libraries that only some folders may import. */
export const LIBRARIES = ['inversify', 'yaml', 'commander', '@?hono', 'prom-client', 'sonic-boom', 'execa']

/**
 * A layer has one folder or more; folders of one layer do not import each other. An entry is a folder, some files of a
 * folder, or a single file.
 */
export const LAYERS = [
  [{ folder: 'index.ts' }],
  [{ folder: 'cli', files: ['main.ts', 'program.ts'], libraries: ['commander'] }],
  [{ folder: 'cli/verbs', libraries: ['commander'] }],
  [{ folder: 'cli', libraries: ['commander'] }],
  [{ folder: 'cli/drawing' }],
  [{ folder: 'compose', libraries: ['inversify'] }],
  [{ folder: 'api', libraries: ['@?hono'] }, { folder: 'doctor' }, { folder: 'probe' }],
  [{ folder: 'status-page' }],
  [{ folder: 'run' }],
  [{ folder: 'run/recorder' }],
  [{ folder: 'run/pattern' }],
  [{ folder: 'run/change' }],
  [{ folder: 'run/pipeline' }],
  [{ folder: 'run/node' }],
  [{ folder: 'run/publish' }],
  [{ folder: 'run/edge' }],
  [{ folder: 'reload' }],
  [{ folder: 'deliver' }],
  [{ folder: 'audience' }],
  [{ folder: 'config', libraries: ['yaml'] }],
  [{ folder: 'config/edit', libraries: ['yaml'] }],
  [{ folder: 'config/section', libraries: ['yaml'] }],
  [{ folder: 'config/template' }],
  [{ folder: 'config/source', libraries: ['yaml'] }],
  [{ folder: 'config/report', libraries: ['yaml'] }],
  [{ folder: 'access', libraries: ['sonic-boom'] }],
  [{ folder: 'listen' }],
  [{ folder: 'processes', libraries: ['execa'] }],
  [{ folder: 'state' }],
  [{ folder: 'observe', libraries: ['prom-client'] }],
  [{ folder: 'graph' }],
  [{ folder: 'plugin' }],
  [{ folder: 'errors.ts' }],
]

/** A regular expression for the import paths by which a file of `importer` reaches `target`. */
export function pathsTo(target, importer) {
  const [inside, sub] = target.folder.split('/')
  const [from, fromSub] = importer.folder.split('/')
  if (inside.endsWith('.ts')) return `^(\\./|(\\.\\./)+)${inside.slice(0, -3)}\\.js$`
  if (inside !== from) return `^(\\./|(\\.\\./)+)${target.folder}/`
  const up = fromSub === undefined ? '\\./' : '\\.\\./'
  if (sub !== undefined) return `^${up}${sub}/`
  const files = target.files === undefined ? '[^/]+' : `(${target.files.map((file) => file.slice(0, -3)).join('|')})`
  return `^${up}${files}\\.js$`
}

/** Globs of the files of an entry. */
export function filesOf({ folder, files }) {
  if (folder.endsWith('.ts')) return [`engine/src/${folder}`]
  return (files ?? ['*.ts']).map((file) => `engine/src/${folder}/${file}`)
}
