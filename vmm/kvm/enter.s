// For the compiler, which takes functions without a body only beside assembly (enter.go).
