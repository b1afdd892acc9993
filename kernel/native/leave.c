/* Leaving a machine stack: a forced unwind (Itanium C++ ABI, 1.6.2) enters the save pad of
   every frame; each pad writes its record and calls __mig_saved, which unwinds on. */
#include <stddef.h>
#include <unwind.h>

#include "arch.h"
#include "lsda.h"
#include "native.h"
#include "native_abi.h"

/* Private: a forced unwind never spans a move. One CPU, one unwind at a time. */
static struct _Unwind_Exception unwinding;

/* The frame of a poll that the unwind has just come through. What calls a poll expects all of its
   registers in its save pad, too, and no unwinder restores them all: it is entered by the poll's
   own way back. */
static unsigned char *poll;

void __mig_saved(uint32_t site, uint32_t size);

static bool is_poll(struct _Unwind_Context *frame)
{
	uintptr_t function = _Unwind_GetRegionStart(frame);
	return function >= (uintptr_t)arch_polls && function < (uintptr_t)arch_polls_end;
}

/* A frame that the passes have not seen would be lost. Those of this file, the driver and
   where a thread's stack begins hold nothing. */
static bool may_be_dropped(struct _Unwind_Context *frame)
{
	uintptr_t function = _Unwind_GetRegionStart(frame);
	return function == (uintptr_t)__mig_leave || function == (uintptr_t)__mig_saved ||
	       function == (uintptr_t)driver || function == (uintptr_t)arch_run;
}

static _Unwind_Reason_Code each_frame(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class class, struct _Unwind_Exception *e,
				      struct _Unwind_Context *frame, void *unused)
{
	(void)version, (void)class, (void)e, (void)unused;
	if (actions & _UA_END_OF_STACK) {
		/* arch_run's frame says that its return address is undefined; anything else
		   that stops the unwinder is a frame that it could not read. */
		if (_Unwind_GetIP(frame) != 0)
			__mig_panic("a frame without unwind tables is on the stack");
		cpu_thread_left();
	}
	if (is_poll(frame))
		poll = (unsigned char *)_Unwind_GetCFA(frame); /* the end of the stack in this frame */
	else if (!_Unwind_GetLanguageSpecificData(frame) && !may_be_dropped(frame))
		__mig_panic("a frame that cannot be saved is on the stack");
	return _URC_NO_REASON;
}

void __mig_leave(void)
{
	__mig_leave_begin();
	unwinding = (struct _Unwind_Exception){0};
	_Unwind_ForcedUnwind(&unwinding, each_frame, NULL);
	__mig_panic("the stack cannot be unwound");
}

_Noreturn void __mig_saved(uint32_t site, uint32_t size)
{
	__mig_record_done(site, size);
	_Unwind_Resume(&unwinding);
	__mig_panic("the stack cannot be unwound further");
}

/* Personality of reached functions (Itanium C++ ABI, 2.5.2): a call that can leave has a
   landing pad, its save pad. A pad gets the room for its record as the exception. */
_Unwind_Reason_Code __mig_personality(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class class,
				      struct _Unwind_Exception *e, struct _Unwind_Context *frame)
{
	(void)version, (void)class;
	if (!(actions & _UA_FORCE_UNWIND) || e != &unwinding)
		return _URC_CONTINUE_UNWIND;
	unsigned char *through = poll;
	poll = NULL;
	/* The address is behind the call: a byte less lies within it. */
	uintptr_t pad = lsda_landing_pad((const uint8_t *)_Unwind_GetLanguageSpecificData(frame),
					 _Unwind_GetRegionStart(frame), _Unwind_GetIP(frame) - 1);
	if (!pad) /* the frame would only hand on its callee's result: not missed */
		return _URC_CONTINUE_UNWIND;
	void *room = __mig_record_room(__mig_record_max);
	if (through) {
		*(uintptr_t *)(through + POLL_PAD) = pad;
		*(void **)(through + POLL_FIRST) = room;
		*(uintptr_t *)(through + POLL_SECOND) = 0;
		pad = *(uintptr_t *)(through + POLL_LEFT);
	}
	_Unwind_SetGR(frame, __builtin_eh_return_data_regno(0), (uintptr_t)room);
	_Unwind_SetGR(frame, __builtin_eh_return_data_regno(1), 0);
	_Unwind_SetIP(frame, pad);
	return _URC_INSTALL_CONTEXT;
}
