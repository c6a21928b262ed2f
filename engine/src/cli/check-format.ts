// How `engine check` reports.

export const CHECK_FORMATS = ['text', 'json', 'github'] as const
export type CheckFormat = (typeof CHECK_FORMATS)[number]
