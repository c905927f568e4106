/** asl-validator 4.0.0 ships no types. */
declare module "asl-validator" {
  export default function validate(definition: unknown): {
    readonly isValid: boolean;
    readonly errors: readonly unknown[];
    errorsText(): string;
  };
}
