// The terminal dashboard of Millrace: a client of the control API.
export { printOnce } from './print-once.js'
export { runTop } from './run-top.js'
export { canDraw, readAbilities } from './terminal/abilities.js'
export { THEMES, type ThemeName } from './draw/theme.js'
export { COMMAND_TABLE } from './input/commands.js'
