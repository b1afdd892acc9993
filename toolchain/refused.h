#include "intrinsics of one instruction set cannot migrate: use the program's portable code, which most have behind a switch"
