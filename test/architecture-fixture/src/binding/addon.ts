export const addon = {};
