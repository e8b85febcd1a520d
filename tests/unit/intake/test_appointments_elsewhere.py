from shared.events.encounter import AppointmentNotified
from tests.unit.intake.participant_stories import APPOINTMENT, MAR_3, MAR_4, appointment, death, met, told_by

BOOKED = AppointmentNotified(appointment=APPOINTMENT, status="booked", start=MAR_4, message=told_by(90))


def test_an_appointment_that_a_sender_keeps_is_a_fact():
    met().when(appointment("booked")).then(BOOKED)


def test_every_step_of_an_appointment_is_told():
    met(BOOKED).when(appointment("rescheduled", 91, start=MAR_3)).then(
        AppointmentNotified(appointment=APPOINTMENT, status="rescheduled", start=MAR_3, message=told_by(91))
    )
    met(BOOKED).when(appointment("noshow", 92)).then(
        AppointmentNotified(appointment=APPOINTMENT, status="noshow", start=MAR_4, message=told_by(92))
    )


def test_an_appointment_told_again_as_it_is_known_is_no_news():
    met(BOOKED).when(appointment("booked", 93)).then_nothing()


def test_the_same_message_about_an_appointment_is_told_once_whatever_came_between():
    moved = AppointmentNotified(
        appointment=APPOINTMENT, status="rescheduled", start=MAR_3, message=told_by(91)
    )
    met(BOOKED, moved).when(appointment("booked", 90)).then_nothing()


def test_an_appointment_of_somebody_who_died_is_still_told():
    died = met().when(death()).events
    met(*died).when(appointment("cancelled")).then(
        AppointmentNotified(appointment=APPOINTMENT, status="cancelled", start=MAR_4, message=told_by(90))
    )
