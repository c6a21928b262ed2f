// The version of the plugin contract. `millrace.api` in the package.json of a plugin names the one it was written for.
export const PLUGIN_API = { major: 1, minor: 0 } as const
