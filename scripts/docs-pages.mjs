// Renders the generated pages: plain data to Markdown, without I/O.

const GENERATED = '<!-- Generated from the code by `npm run docs`. Do not edit. -->'

/** What the engine does about an error of a node, by its reaction: when it starts or runs, and while it reloads. */
const REACTIONS = {
  retry: ['tries again, with back-off', 'keeps what the node would replace, and tries again'],
  end: ['treats the node as finished', 'treats the node as finished'],
  config: ['stops the node', 'keeps what runs'],
  bug: ['stops the node, and reports a bug', 'keeps what runs, and reports a bug'],
}

const NEVER = 'does not occur'
const KEEPS = 'keeps what runs'
/** Of errors in files, which are found before any node is opened. */
const CONFIGURATION = ['does not start', KEEPS]
/** Areas of the engine whose errors do not come from a node that runs. */
const AREA_REACTIONS = {
  AUTH: CONFIGURATION,
  CONFIG: CONFIGURATION,
  LISTEN: CONFIGURATION,
  PLUGIN: CONFIGURATION,
  RELOAD: [NEVER, KEEPS],
  STATE: ['does not start', NEVER],
}
/** Errors whose area says something else. */
const OWN_REACTIONS = {
  LISTEN_IN_USE: ['does not start', 'keeps what runs, and tries again'],
  LISTEN_NO_ADDRESS: ['does not start', 'keeps what runs, and tries again'],
  LISTEN_FAILED: ['does not start', 'keeps what runs, and tries again'],
  NODE_NOT_READY: [NEVER, 'keeps what runs, and tries again'],
  PLUGIN_FAULT: ['does not start, and reports a bug', 'keeps what runs, and reports a bug'],
  RELOAD_ROLLED_BACK: [NEVER, 'runs the previous configuration again'],
}
/** Areas whose errors answer a request, and change nothing that runs. */
const REQUEST_AREAS = new Set(['COMMAND', 'EDIT', 'HISTORY', 'TAP'])

/** The reload classes of options, in order of cost. */
const RELOAD_CLASSES = ['live', 'rebind', 'swap', 'source', 'restart']

/** @param {{ name: string, errors: object[] }[]} packages */
export function renderErrorsPage(packages) {
  const sections = packages
    .filter(({ errors }) => errors.length > 0)
    .map(({ name, errors }) => `## ${name}\n\n${byArea(errors).map(renderArea).join('\n\n')}`)
  return [
    '# Errors',
    GENERATED,
    'Every error has a code, `AREA_WHAT`. It appears in the log, in responses of the control API, and in the output of ' +
      '`engine check`. The meaning of a code never changes.',
    'What the engine does about it depends on when it occurs. **At the start and while it runs**: an engine that does ' +
      'not start exits with 78 if the configuration is wrong, else with 1; so does one whose last input has failed. ' +
      '**At a reload**: whatever goes wrong, what runs goes on, and the reload says why ' +
      '([hot-reload.md](hot-reload.md#when-disk-and-running-differ)).',
    ...sections,
  ].join('\n\n')
}

/**
 * @param {object[]} coreMetrics declarations of the engine @param {{ name: string, definitions: object[] }[]} plugins
 */
export function renderMetricsPage(coreMetrics, plugins) {
  const sections = plugins.flatMap(({ name, definitions }) =>
    definitions
      .filter(({ metrics = [] }) => metrics.length > 0)
      .map(({ kind, type, metrics }) => `## ${kind} \`${type}\` (${name})\n\n${renderMetrics(metrics)}`),
  )
  return [
    '# Metrics',
    GENERATED,
    'A `prometheus` service exposes them on its configured path and listener. Names start with `millrace_`, ' +
      'or with `process_` and `nodejs_` for the process and for Node; units are ' +
      'base units, and counters end in `_total`. Metrics of a node also carry the labels `pipeline`, `node` and `type`. ' +
      'No label identifies a viewer.',
    '## Engine',
    renderMetrics(coreMetrics),
    ...sections,
  ].join('\n\n')
}

/** The commands of the dashboard, by name. */
export function renderDashboardKeys(commands) {
  const shownAs = (key) => (key === ' ' ? 'space' : key === 'escape' ? 'esc' : key)
  const rows = commands.map(({ name, keys, help, places, isWriting, isHarmless }) => [
    keys.map((key) => `<kbd>${shownAs(key)}</kbd>`).join(' '),
    `\`${name}\``,
    `${help}${isWriting ? `; ${isHarmless ? '' : 'asks, or '}is not there with \`--read-only\`` : ''}`,
    places === undefined ? '' : places.join(', '),
  ])
  return table(['Keys', 'Command', 'What it does', 'Only in'], rows)
}

/** The rules that `engine probe` checks: groups of rows by id. */
export function renderHlsRules(groups, players) {
  const sections = Object.entries(groups).map(([name, rules]) => {
    const rows = Object.entries(rules).map(([id, rule]) => [`\`${id}\``, rule.class, rule.section, rule.sentence])
    return `## ${name}\n\n${table(['Rule', 'Class', 'Section', 'What it says'], rows)}`
  })
  return [
    '# Rules of HLS',
    GENERATED,
    '`engine probe URL` checks these rules, over time, in a playlist and in all that it leads to: media playlists, ' +
      'responses, segments. It exits with 1 if a `must` is broken. `should` is a recommendation; `apple` is what Apple ' +
      'asks of services for its players. Sections are those of ' +
      '[draft-pantos-hls-rfc8216bis-22](https://datatracker.ietf.org/doc/html/draft-pantos-hls-rfc8216bis-22), the ' +
      'successor of [RFC 8216](https://datatracker.ietf.org/doc/html/rfc8216); `players` stands for what a widespread ' +
      'player fails at, though no specification forbids it.',
    ...sections,
    '## Who plays what in transport streams',
    '`apple`: AVPlayer and Safari, by what Apple asks of services. `browsers`: hls.js, by what it finds in transport ' +
      'streams; `some`: where the browser or the device has a decoder. VLC, FFmpeg and GStreamer play all of them.',
    table(
      ['Format', 'Apple', 'Browsers'],
      Object.values(players).map(({ name, apple, browsers }) => [name, apple, browsers]),
    ),
  ].join('\n\n')
}

/** The generated regions of a plugin's README, by name. */
export function renderPluginRegions({ definitions, errors }, describeOptions) {
  const each = (render) =>
    definitions
      .map((one) => (definitions.length > 1 ? `### ${one.kind} \`${one.type}\`\n\n${render(one)}` : render(one)))
      .join('\n\n')
  return {
    summary: each(renderSummary),
    examples: each(({ examples }) => examples.map(renderExample).join('\n\n') || 'None.'),
    options: each(({ options }) => renderOptions(describeOptions(options))),
    metrics: each(({ metrics = [] }) => renderMetrics(metrics)),
    ...(definitions.some(({ commands }) => commands !== undefined) && {
      commands: each(({ commands }) => renderCommands(commands, describeOptions)),
    }),
    errors: renderErrors(errors),
  }
}

/**
 * The generated regions of the page about listeners and engine settings: a table of options for each schema, by name.
 */
export function renderSettingsRegions(schemas, describeOptions) {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, renderOptions(describeOptions(schema))]),
  )
}

/**
 * The generated region of the page about reloads: the options of nodes, listeners and the engine, by reload class.
 * @param {{ name: string, schema: object }[]} owners
 */
export function renderReloadRegion(owners, describeOptions) {
  const described = owners.map(({ name, schema }) => ({
    name,
    rows: describeOptions(schema).filter(({ kind }) => kind !== 'group'),
  }))
  const pathsOf = (rows, wanted) => rows.filter(({ reload }) => reload === wanted).map(({ path }) => `\`${path}\``)
  return table(
    ['Class', 'Of', 'Options'],
    RELOAD_CLASSES.flatMap((wanted) =>
      described.flatMap(({ name, rows }) => {
        const paths = pathsOf(rows, wanted)
        return paths.length === 0 ? [] : [[`\`${wanted}\``, name, paths.join(', ')]]
      }),
    ),
  )
}

/** File name of a page of the node reference, in docs/nodes. */
export function nodePageName({ kind, type }) {
  return `${kind}-${type}.md`
}

/**
 * One page of the node reference. `engineOptions`: rows of the keys that the engine itself reads on this kind of node.
 * @param {{ definition: object, plugin: { name: string, folder: string, errors: object[] } }} node
 */
export function renderNodePage({ definition, plugin }, describeOptions, engineOptions) {
  const { kind, type, options, metrics = [], commands, examples, inlets, ports } = definition
  const reads = inlets === undefined ? '' : ` Reads ${inlets === 'many' ? 'one or more nodes' : 'one node'}.`
  const leaves = ports === undefined ? '' : ` ${renderPorts(ports)}`
  return [
    `# ${kind} ${type}`,
    GENERATED,
    `${renderSummary(definition)}${reads}${leaves} From the package [${plugin.name}](../../${plugin.folder}/README.md).`,
    '## Examples',
    examples.map(renderExample).join('\n\n') || 'None.',
    '## Options',
    renderOptions(describeOptions(options)),
    `Every ${kind === 'auth' ? 'provider' : kind} also has:`,
    renderOptions(engineOptions),
    '## Metrics',
    renderMetrics(metrics),
    ...(commands === undefined ? [] : ['## Commands', renderCommands(commands, describeOptions)]),
    '## Errors',
    renderErrors(plugin.errors),
  ].join('\n\n')
}

/** The index of the node reference. */
export function renderNodeIndex(nodes) {
  return [
    '# Nodes',
    GENERATED,
    'The node types of a pipeline, and the auth providers of plugins. On the command line, `engine inspect` lists all installed types, including those of ' +
      'third-party plugins, and `engine inspect TYPE` describes one.',
    table(
      ['Kind', 'Type', 'What it does'],
      nodes.map(({ definition }) => [
        definition.kind,
        `[${definition.type}](${nodePageName(definition)})`,
        definition.summary,
      ]),
    ),
    'Durations are written `500ms 2s 5m 1h`, sizes `188B 64KiB 32MiB`, bit rates `800kb/s 4Mb/s`, event rates `20/s`. The ' +
      'last column of each table of options is the reload class: what changing the option costs in a running engine.',
  ].join('\n\n')
}

function byArea(errors) {
  const areas = new Map()
  for (const error of errors) {
    const area = areaOf(error.code)
    areas.set(area, [...(areas.get(area) ?? []), error])
  }
  return [...areas].sort(([a], [b]) => (a < b ? -1 : 1))
}

function renderArea([area, errors]) {
  return `### ${area}\n\n${renderErrors(errors)}`
}

function renderErrors(errors) {
  const meanings = errors.map(({ code, sentence, hint, help }) => [`\`${code}\``, sentence, hint ?? help ?? ''])
  if (errors.every(isOfRequest)) {
    const answers = errors.map(({ status }) =>
      status === undefined ? 'refuses the request' : `responds with ${status}`,
    )
    return table(
      ['Code', 'What it means', 'What to do', 'The engine'],
      withCells(
        meanings,
        answers.map((text) => [text]),
      ),
    )
  }
  const head = ['Code', 'What it means', 'What to do', 'At the start and while it runs', 'At a reload']
  return table(head, withCells(meanings, errors.map(reactionsTo)))
}

function withCells(rows, cells) {
  return rows.map((row, index) => [...row, ...cells[index]])
}

function isOfRequest({ code, status }) {
  return status !== undefined || REQUEST_AREAS.has(areaOf(code)) || code.startsWith('NODE_ACTION_')
}

/** What the engine does; the sentence of a warning says that it is one. */
function reactionsTo(error) {
  const { code, sentence, reaction } = error
  if (sentence.endsWith('(a warning).')) return ['reports it, and continues', 'reports it, and continues']
  if (isOfRequest(error)) return ['refuses the request', 'refuses the request']
  return OWN_REACTIONS[code] ?? AREA_REACTIONS[areaOf(code)] ?? REACTIONS[reaction]
}

function areaOf(code) {
  return code.split('_', 1)[0]
}

function renderSummary({ kind, type, summary, consumes, produces }) {
  const reads = consumes === undefined ? '' : ` Consumes ${consumes.map((one) => `\`${one}\``).join(' or ')}.`
  const emits = produces === undefined ? '' : ` Produces \`${produces}\`.`
  const what = kind === 'auth' ? 'auth provider' : kind
  const key = kind === 'listener' ? 'protocol' : 'type'
  return `${/^[aio]/.test(kind) ? 'An' : 'A'} ${what}, \`${key}: ${type}\`. ${summary}${reads}${emits}`
}

function renderExample({ title, yaml }) {
  return `${title}:\n\n\`\`\`yaml\n${yaml.trim()}\n\`\`\``
}

/** Of an option, with its classes in other modes. */
function reloadText(reload, reloadWhen = []) {
  const inModes = reloadWhen.map((when) => `\`${when.reload}\` with \`${when.option}: ${when.is}\`: ${when.effect}`)
  return [`\`${reload}\``, ...inModes].join('; ')
}

function renderOptions(rows) {
  return table(
    ['Option', 'Takes', 'Default', 'What it does', 'On reload'],
    rows.map(({ path, kind, range, default: value, required, description, reload, reloadWhen }) => [
      `\`${path}\``,
      range === '' ? kind : `${kind}, ${range}`,
      required ? '**required**' : value === undefined ? '' : `\`${value}\``,
      description,
      kind === 'group' ? '' : reloadText(reload, reloadWhen),
    ]),
  )
}

function renderPorts(ports) {
  if (typeof ports === 'function') return 'Its ports depend on its options.'
  return `Ports: ${ports.map(({ name, kind }) => `\`${name}\` (${kind})`).join(', ')}.`
}

/** For `engine command`. */
function renderCommands(commands = {}, describeOptions) {
  return Object.entries(commands)
    .map(([name, { summary, input }]) => {
      const values = describeOptions(input).map(({ path, kind, range, default: value, required, description }) => [
        `\`${path}\``,
        range === '' ? kind : `${kind}, ${range}`,
        required ? '**required**' : value === undefined ? '' : `\`${value}\``,
        description,
      ])
      const head = ['Value', 'Takes', 'Default', 'What it does']
      return [
        `\`engine command NODE ${name}\`: ${summary}`,
        ...(values.length === 0 ? [] : [table(head, values)]),
      ].join('\n\n')
    })
    .join('\n\n')
}

function renderMetrics(metrics) {
  return table(
    ['Metric', 'Kind', 'Labels', 'What it shows'],
    metrics.map(({ name, kind, help, labels = [] }) => [
      `\`${/^(process|nodejs|millrace)_/.test(name) ? '' : 'millrace_'}${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  )
}

function table(head, rows) {
  if (rows.length === 0) return 'None.'
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
