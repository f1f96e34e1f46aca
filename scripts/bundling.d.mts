export const bundling: {
  readonly bundle: true;
  readonly target: string;
};
