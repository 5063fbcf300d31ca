// The smallest static ELF program: it exits with CODE. Two of them differ in a byte, not in size.
__attribute__((noreturn)) void _start(void) {
  __asm__ volatile("syscall" ::"a"(231), "D"(CODE));
  __builtin_unreachable();
}
